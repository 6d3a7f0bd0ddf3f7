"""Health: is this process up, and does it reach its database."""

from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse

from ingest.api.errors import ApiError, render_error

VERSION = "0.1.0"
ALLOWED = ("GET", "HEAD")


def show_health(request: HttpRequest) -> HttpResponse:
    """200 in Lago's shape when the database answers, 503 when it does not; needs no key, and any host name."""
    if request.method not in ALLOWED:
        response = render_error(ApiError(405, code="method_not_allowed"))
        response["Allow"] = ", ".join(ALLOWED)
        return response
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return JsonResponse({"version": VERSION, "message": "The database does not answer"}, status=503)
    return JsonResponse({"version": VERSION, "github_url": "", "message": "Success"})
