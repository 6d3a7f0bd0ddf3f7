"""From a fee to its events and back, by the rules that metered them."""

import pytest
from django.urls import reverse

from ingest.fee_events import events_of, fees_of
from ingest.models import Aggregation, Fee, UsageEvent
from tests import factories
from tests.ingest.selling import add_charge, bill, make_subscription, post
from tests.ingest.test_window_fees import send

pytestmark = pytest.mark.django_db


def make_fees():
    subscription = make_subscription(amount="10")
    charge = add_charge(
        subscription,
        properties={"amount": "1", "pricing_group_keys": ["team"]},
        filters=[{"values": {"cloud": ["aws"]}, "properties": {"amount": "2"}}],
    )
    charge.metric.filters = {"cloud": ["aws", "gcp"]}
    charge.metric.save()
    for cloud, team, value in (
        ("aws", "a", "1"),
        ("aws", "a", "2"),
        ("gcp", "a", "4"),
        (None, None, "8"),
        ("aws", "a", "x"),
    ):
        send(subscription, 3, value, cloud=cloud, team=team)
    post(subscription, factories.PERIOD_END, "16")
    bill(subscription.service)
    return subscription


def test_each_fee_leads_to_exactly_its_events_and_they_lead_back():
    make_fees()
    fees = Fee.objects.filter(kind="usage")
    assert fees.count() == 3
    for fee in fees:
        events = events_of(fee)
        assert events.count() == fee.events_count
        assert sum(event.properties["value"] in {"1", "2", "4", "8"} for event in events) == fee.events_count
        for event in events:
            assert fees_of(event) == [fee]


def test_a_plan_fee_has_no_events_and_an_event_that_did_not_count_no_fee():
    make_fees()
    assert not events_of(Fee.objects.get(kind="plan")).exists()
    assert fees_of(UsageEvent.objects.get(properties__value="x")) == []
    assert fees_of(UsageEvent.objects.get(properties__value="16")) == []


def test_what_recurs_is_made_of_earlier_events_too():
    subscription = make_subscription()
    charge = add_charge(subscription, aggregation=Aggregation.SUM)
    charge.metric.is_recurring = True
    charge.metric.save()
    early = post(subscription, factories.PERIOD_START.replace(month=3), "5")
    bill(subscription.service)
    fee = Fee.objects.get()
    assert (list(events_of(fee)), fee.quantity) == ([early], 5)


@pytest.mark.parametrize("person", ["auditor"], indirect=True)
def test_the_pages_link_both_ways(client, person):
    make_fees()
    client.force_login(person)
    fee = Fee.objects.filter(kind="usage").first()
    page = client.get(reverse("admin:ingest_fee_change", args=[fee.pk])).content.decode()
    assert f"?fee={fee.pk}" in page
    listed = client.get(reverse("admin:ingest_usageevent_changelist"), {"fee": fee.pk})
    assert set(listed.context["cl"].result_list) == set(events_of(fee))
    event = events_of(fee).first()
    page = client.get(reverse("admin:ingest_usageevent_change", args=[event.pk])).content.decode()
    assert reverse("admin:ingest_fee_change", args=[fee.pk]) in page


@pytest.mark.parametrize("key", ["0", "x", "9" * 30, "-1", "1 OR 1"])
def test_a_fee_that_there_is_not_has_no_events(client, auditor, key):
    make_fees()
    client.force_login(auditor)
    response = client.get(reverse("admin:ingest_usageevent_changelist"), {"fee": key})
    assert response.status_code in {200, 302}
    if response.status_code == 200:
        assert not response.context["cl"].result_list
