"""How a service wants its events taken: as Lago takes them unless it chose otherwise."""

from dataclasses import dataclass

from django.conf import settings

from ingest.models import Service


@dataclass(frozen=True, slots=True)
class IntakeTerms:
    """A service's choices; the defaults are Lago's contract.

    With `is_resend_accepted` an identical event that is stored already is answered as it is stored, else it is
    refused as a duplicate. With `is_batch_partial` the good events of a batch are stored and the others named,
    else all or none. A batch holds at most `batch_max` events.
    """

    is_resend_accepted: bool
    is_batch_partial: bool
    batch_max: int


def terms_of(service: Service) -> IntakeTerms:
    """The choices of a service; where it made none on the size of a batch, the console's."""
    return IntakeTerms(
        is_resend_accepted=service.is_resend_accepted,
        is_batch_partial=service.is_batch_partial,
        batch_max=service.events_batch_max or settings.EVENTS_BATCH_MAX,
    )
