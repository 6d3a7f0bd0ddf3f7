"""Events on screens say what became of them, are found by it, and are counted by who sent them."""

from datetime import UTC, datetime, timedelta

import pytest
from django.urls import reverse

from ingest.admin import verdicts
from ingest.models import Resend
from ingest.verdicts import ADVICE, Verdict
from tests import factories
from tests.ingest.selling import add_charge, make_subscription, post

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 9, 10, 12, tzinfo=UTC)
LIST = reverse("admin:ingest_usageevent_changelist")
SENDERS = reverse("admin:ingest_usageevent_verdicts")
NEAR = reverse("admin:ingest_usageevent_possible_duplicates")


@pytest.fixture(autouse=True)
def _signed_in(client, auditor):
    client.force_login(auditor)


@pytest.fixture
def subscription():
    """One that sells a sum."""
    subscription = make_subscription(external_id="ours")
    add_charge(subscription)
    return subscription


def found(client, **query):
    return list(client.get(LIST, query).context["cl"].result_list)


def test_the_list_says_each_events_verdict_in_as_many_queries_as_for_one(
    client, subscription, django_assert_max_num_queries
):
    for minute in range(30):
        post(subscription, NOON + timedelta(minutes=minute), "1" if minute % 2 else "x")
    with django_assert_max_num_queries(25):
        page = client.get(LIST).content.decode()
    assert page.count(">check_circle</span>Counted</span>") == 15
    assert page.count(">pin</span>Not a number</span>") == 15


def test_events_are_found_by_verdict_among_the_newest_or_of_a_day(client, subscription, monkeypatch):
    old = post(subscription, NOON, "x")
    good = post(subscription, NOON, "1")
    new = post(subscription, NOON, "y", received_at=NOON + timedelta(days=1))
    theirs = factories.UsageEventFactory(code="unheard")
    assert found(client, verdict="not_numeric") == [new, old]
    assert found(client, verdict="not_numeric", received="2026-09-10") == [old]
    assert found(client, verdict="not_numeric", service=theirs.service.code) == []
    assert found(client, verdict="unmatched_code") == [theirs]
    assert found(client, verdict="counted", subscription="ours", code="api") == [good]
    assert found(client, received="2026-09-11") == [new]
    assert found(client, received="yesterday") == found(client, received="9999-12-31") == []
    monkeypatch.setattr(verdicts, "NEWEST", 2)
    assert found(client, verdict="not_numeric") == [new]
    assert found(client, verdict="not_numeric", subscription="ours") == [new]
    assert len(found(client, verdict="no such")) == 4


@pytest.mark.parametrize(("value", "verdict"), [("1", Verdict.COUNTED), ("x", Verdict.NOT_NUMERIC)])
def test_an_events_page_says_its_verdict_what_to_do_and_what_it_may_repeat(
    client, subscription, value, verdict
):
    key = factories.ApiKeyFactory(service=subscription.service)
    event, other = (post(subscription, NOON, value, key=key) for _ in range(2))
    page = client.get(reverse("admin:ingest_usageevent_change", args=[event.pk])).content.decode()
    assert verdict.label in page
    assert ADVICE[verdict] in page.replace("&#x27;", "'")
    assert reverse("admin:ingest_apikey_change", args=[key.pk]) in page
    assert reverse("admin:ingest_usageevent_change", args=[other.pk]) in page


def test_a_days_events_are_counted_by_sender_with_links_to_them(client, subscription):
    service = subscription.service
    key = factories.ApiKeyFactory(service=service)
    post(subscription, NOON, "1", key=key)
    bad = post(subscription, NOON, "x", key=key)
    post(subscription, NOON, "1")
    Resend.objects.create(key=key, day=NOON.date(), refused=3, identical=1)
    page = client.get(SENDERS, {"day": "2026-09-10", "service": service.code})
    told = [
        (sender.key, {count.verdict: count.number for count in sender.counts})
        for sender in page.context["senders"]
    ]
    assert told == [
        (None, {Verdict.COUNTED: 1}),
        (key, {Verdict.COUNTED: 1, Verdict.NOT_NUMERIC: 1, Verdict.DUPLICATE: 4}),
    ]
    (address,) = [
        count.address for count in page.context["senders"][1].counts if count.verdict == Verdict.NOT_NUMERIC
    ]
    assert list(client.get(address).context["cl"].result_list) == [bad]
    other = factories.ServiceFactory()
    assert client.get(SENDERS, {"day": "2026-09-10", "service": other.code}).context["senders"] == []
    page = client.get(SENDERS)
    assert page.context["day"] == NOON.date()
    assert 'value="2026-09-10"' in page.content.decode()


def test_possible_duplicates_are_listed_with_links(client, subscription):
    first, second = post(subscription, NOON, "1"), post(subscription, NOON, "1")
    post(subscription, NOON, "2")
    page = client.get(NEAR, {"day": "2026-09-10"})
    ((row),) = page.context["rows"]
    assert [name for _, name in row["links"]] == [first.transaction_id, second.transaction_id]
    assert reverse("admin:ingest_usageevent_change", args=[second.pk]) in page.content.decode()
    assert client.get(NEAR, {"day": "2026-09-11"}).context["rows"] == []


@pytest.mark.parametrize("day", ["", "x", "0001-01-01", "9999-12-31"])
@pytest.mark.parametrize("address", [SENDERS, NEAR])
def test_a_day_that_is_none_is_the_newest(client, address, day):
    assert client.get(address, {"day": day}).status_code == 200


@pytest.mark.parametrize("address", [SENDERS, NEAR])
def test_who_has_no_role_sees_no_counts(client, outsider, address):
    client.force_login(outsider)
    assert client.get(address).status_code == 403
