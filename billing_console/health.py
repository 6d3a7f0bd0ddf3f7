"""Health: is this process up, and does it reach its database."""

from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse

VERSION = "0.1.0"


def show_health(request: HttpRequest) -> JsonResponse:
    """200 in Lago's shape when the database answers, 503 when it does not; needs no key."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return JsonResponse({"version": VERSION, "message": "The database does not answer"}, status=503)
    return JsonResponse({"version": VERSION, "github_url": "", "message": "Success"})
