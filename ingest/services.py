"""One worker at a time on a service: the lock that metering, rating, judging, pushing and cutover share."""

from ingest.models import Service


def lock_service(service_id: int) -> Service:
    """The service as it is now, locked until the transaction ends.

    A statement that begins after this sees all that the lock's last holder wrote, so figures are never
    computed from older rows and then written over newer ones. The intake does not wait: a foreign key's
    check passes this lock, as it would not pass `FOR UPDATE`.
    """
    return Service.objects.select_for_update(no_key=True).get(pk=service_id)
