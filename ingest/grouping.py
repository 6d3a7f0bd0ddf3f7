"""Single events of concurrent requests, stored together: one statement and one flush of the log for all."""

from collections import defaultdict
from concurrent.futures import Future
from datetime import datetime
from threading import Lock

from django.db import connection

from ingest.collection import EventsRefused, PostedEvent, store_events


class _Group:
    """Events of one service that are stored together, and the moment or the error that comes of it."""

    def __init__(self) -> None:
        self.events: list[PostedEvent] = []
        self.received_at: Future[datetime] = Future()

    def store(self, service_id: int) -> None:
        """Settles the group, for every thread that waits for it."""
        try:
            self.received_at.set_result(store_events(service_id=service_id, events=self.events))
        except BaseException as error:
            self.received_at.set_exception(error)


class _Queue:
    """The groups of one service: while one is being stored, the next one gathers."""

    def __init__(self) -> None:
        self._joining = Lock()
        self._storing = Lock()
        self._gathering: _Group | None = None

    def store(self, service_id: int, event: PostedEvent) -> _Group:
        """Joins the group that gathers; whoever joins first stores it, on its own connection."""
        with self._joining:
            is_first = self._gathering is None
            group = self._gathering = self._gathering or _Group()
            group.events.append(event)
        if is_first:
            with self._storing:
                with self._joining:
                    self._gathering = None
                group.store(service_id)
        return group


def _return_connection() -> None:
    """Whoever waits for another thread's statement must not keep the pool's last connection from it."""
    if connection.settings_dict["OPTIONS"].get("pool"):
        connection.close()


_queues: defaultdict[int, _Queue] = defaultdict(_Queue)


def store_event(*, service_id: int, event: PostedEvent) -> datetime:
    """As `store_events` for one event, and cheaper the more requests there are at once.

    An event that is refused takes no other with it: those of a refused group are stored each alone.
    """
    if connection.in_atomic_block:  # another thread's transaction is not ours
        return store_events(service_id=service_id, events=[event])
    _return_connection()
    group = _queues[service_id].store(service_id, event)
    try:
        return group.received_at.result()
    except EventsRefused:
        if len(group.events) == 1:
            raise
        return store_events(service_id=service_id, events=[event])
