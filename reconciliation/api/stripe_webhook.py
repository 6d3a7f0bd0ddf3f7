"""Where Stripe posts its events: verified on the bytes that came, kept, and answered; the work is done after."""

from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from ingest.errors import DomainError
from reconciliation.connectors.errors import ConnectorError
from reconciliation.stripe.events import receive


@csrf_exempt
def receive_event(request: HttpRequest) -> JsonResponse:
    """200 once the event is kept, however often it comes; 400 for what Stripe did not sign, and it is not kept.

    Stripe sends what is not answered by 200 again, for three days.
    """
    if request.method != "POST":
        message = "Stripe posts its events here."
        return JsonResponse(
            {"code": "method_not_allowed", "message": message}, status=405, headers={"Allow": "POST"}
        )
    try:
        receive(body=request.body, signature=request.headers.get("Stripe-Signature", ""), now=timezone.now())
    except (ConnectorError, DomainError) as error:
        return JsonResponse({"code": error.code, "message": error.message}, status=400)
    return JsonResponse({"received": True})
