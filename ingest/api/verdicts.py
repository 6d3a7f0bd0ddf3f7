"""GET /events/verdicts: how many events count, and why the others do not; an address of our own."""

from collections import Counter
from datetime import datetime, timedelta

import msgspec
from django.http import QueryDict
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request
from rest_framework.response import Response

from ingest.api.errors import refuse_fields
from ingest.api.openapi import describe, envelop
from ingest.api.queries import read_instant
from ingest.api.rendering import render_millisecond
from ingest.api.view import ApiView
from ingest.models import ApiKey, Service
from ingest.near_duplicates import count_repeats
from ingest.resends import read_resends
from ingest.verdicts import Selection, Tally, Verdict, count_verdicts

LONGEST = timedelta(days=7)
USUAL = timedelta(days=1)
MOST_GROUPS = 1_000

Counts = dict[str, int]


class Group(msgspec.Struct):
    """How many events of one code and subscription have a verdict."""

    verdict: str
    code: str
    external_subscription_id: str | None
    count: int


class Sender(msgspec.Struct):
    """How many events sent with one key have which verdict; no key is known of what came before keys were kept."""

    key: str | None
    counts: Counts


class Verdicts(msgspec.Struct):
    """The verdicts on what was received; `duplicate` counts whole days, and what is no verdict counts zero.

    `groups` are the 1,000 largest. `possible_duplicates` say the same as another event under another id.
    """

    received_from: str
    received_to: str
    counts: Counts
    groups: list[Group]
    senders: list[Sender]
    possible_duplicates: int


VerdictsAnswer = envelop("verdicts", Verdicts, "VerdictsAnswer")
QUERY = (
    OpenApiParameter(
        "from", OpenApiTypes.DATETIME, description="Received from this instant on; a day before `to`."
    ),
    OpenApiParameter(
        "to", OpenApiTypes.DATETIME, description="Received before this instant; now unless told."
    ),
    OpenApiParameter("code", str, description="Of this metric."),
    OpenApiParameter("external_subscription_id", str, description="Of this subscription."),
)


class VerdictsView(ApiView):
    """What became of the events that the service sent."""

    resource = "event"

    @describe(
        "count_verdicts",
        "Count events by what became of them",
        description="By verdict, code, subscription and key, for events received within up to 7 days.",
        tag="events",
        answer=VerdictsAnswer,
        query=QUERY,
        refuses=(422,),
    )
    def get(self, request: Request) -> Response:
        """The counts."""
        query = request.query_params
        start, end = _read_range(query, timezone.now())
        service = Service.objects.get(pk=self.caller.service_id)
        chosen = Selection(
            [service.pk],
            received_from=start,
            received_to=end,
            code=query.get("code") or None,
            external_subscription_id=query.get("external_subscription_id") or None,
        )
        tallies = count_verdicts(chosen, now=timezone.now())
        is_narrow = chosen.code is not None or chosen.external_subscription_id is not None
        resends = {} if is_narrow else read_resends(service_id=service.pk, start=start, end=end)
        answer = Verdicts(
            received_from=render_millisecond(start),
            received_to=render_millisecond(end),
            counts=_count(tallies, resends),
            groups=_group(tallies)[:MOST_GROUPS],
            senders=_list_senders(service, tallies, resends),
            possible_duplicates=count_repeats(service_id=service.pk, start=start, end=end),
        )
        return Response({"verdicts": answer})


def _read_range(query: QueryDict, now: datetime) -> tuple[datetime, datetime]:
    end = read_instant(query, "to") or now
    try:
        start = read_instant(query, "from") or end - USUAL
        span = end - start
    except OverflowError:
        raise refuse_fields({"to": ["invalid_date"]}) from None
    if not timedelta() < span <= LONGEST:
        raise refuse_fields({"from": ["value_is_out_of_range"]})
    return start, end


def _count(tallies: list[Tally], resends: dict[int, int]) -> Counts:
    counts = dict.fromkeys(Verdict.values, 0)
    for tally in tallies:
        counts[tally.verdict] += tally.count
    counts[Verdict.DUPLICATE] = sum(resends.values())
    return counts


def _group(tallies: list[Tally]) -> list[Group]:
    """The keys together, the most first."""
    found: Counter[tuple[str, str, str | None]] = Counter()
    for tally in tallies:
        found[tally.verdict.value, tally.code, tally.external_subscription_id] += tally.count
    return [Group(*key, count) for key, count in found.most_common()]


def _list_senders(service: Service, tallies: list[Tally], resends: dict[int, int]) -> list[Sender]:
    by_key: dict[int | None, Counter[str]] = {}
    for tally in tallies:
        by_key.setdefault(tally.key_id, Counter())[tally.verdict.value] += tally.count
    for key, count in resends.items():
        by_key.setdefault(key, Counter())[Verdict.DUPLICATE.value] += count
    prefixes = dict(
        ApiKey.objects.filter(service=service, pk__in=[k for k in by_key if k]).values_list("pk", "prefix")
    )
    named = [Sender(prefixes.get(key) if key else None, dict(counts)) for key, counts in by_key.items()]
    return sorted(named, key=lambda sender: sender.key or "")
