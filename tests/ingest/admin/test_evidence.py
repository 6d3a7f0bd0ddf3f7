"""The screens of evidence: what they find, and that they only show it."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.urls import reverse

from tests import factories

pytestmark = pytest.mark.django_db


def found(client, name, **query):
    response = client.get(reverse(f"admin:ingest_{name}_changelist"), query)
    assert response.status_code == 200
    return list(response.context["cl"].result_list)


@pytest.fixture(autouse=True)
def _signed_in(client, auditor):
    client.force_login(auditor)


def test_unmatched_events_are_found_by_why_they_are(client):
    subscription = factories.SubscriptionFactory()
    metric = factories.MetricFactory(service=subscription.service)
    known = {"service": subscription.service, "code": metric.code}
    mine = {"external_subscription_id": subscription.external_id}
    factories.UsageEventFactory(**known, **mine)
    no_code = factories.UsageEventFactory(service=subscription.service, code="unheard", **mine)
    no_subscription = factories.UsageEventFactory(**known, external_subscription_id="unheard")
    nobodys = factories.UsageEventFactory(**known, external_subscription_id=None)

    assert found(client, "usageevent", match="code") == [no_code]
    assert found(client, "usageevent", match="subscription") == [nobodys, no_subscription]
    assert found(client, "usageevent", match="no") == [nobodys, no_subscription, no_code]


def test_an_event_of_a_canceled_subscription_matches_none(client):
    subscription = factories.SubscriptionFactory(canceled_at=datetime(2025, 12, 1, tzinfo=UTC))
    event = factories.UsageEventFactory(
        service=subscription.service, external_subscription_id=subscription.external_id
    )

    assert found(client, "usageevent", match="subscription") == [event]


def test_subscriptions_are_found_by_where_they_stand(client):
    long_ago, far_away = datetime(2020, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
    rows = {
        "active": factories.SubscriptionFactory(terminated_at=far_away, name="Main"),
        "pending": factories.SubscriptionFactory(started_at=far_away),
        "terminated": factories.SubscriptionFactory(
            started_at=long_ago, terminated_at=long_ago + timedelta(days=1)
        ),
        "canceled": factories.SubscriptionFactory(canceled_at=long_ago),
    }

    for status, row in rows.items():
        assert found(client, "subscription", status=status) == [row]
        page = client.get(reverse("admin:ingest_subscription_changelist"), {"status": status})
        assert status.capitalize() in page.content.decode()
        assert client.get(reverse("admin:ingest_subscription_change", args=[row.pk])).status_code == 200
    assert found(client, "subscription", q="Main") == [rows["active"]]


def test_another_services_metric_does_not_match_an_event(client):
    metric, subscription = factories.MetricFactory(), factories.SubscriptionFactory()
    event = factories.UsageEventFactory(
        service=subscription.service,
        code=metric.code,
        external_subscription_id=subscription.external_id,
    )

    assert found(client, "usageevent", match="code") == [event]


def test_events_are_found_by_transaction_subscription_and_code(client):
    event = factories.UsageEventFactory(transaction_id="tx-1", external_subscription_id="sub-x", code="seats")
    factories.UsageEventFactory()

    for query in ({"q": "tx-1"}, {"q": "sub-x"}, {"code": "seats"}, {"subscription": "sub-x"}):
        assert found(client, "usageevent", **query) == [event]


def test_amounts_keep_their_digits_on_a_page_and_are_rounded_in_a_list(client):
    fee = factories.FeeFactory(exact_amount=Decimal("60.0249999999"), amount=Decimal("60.02"))
    factories.PlanFactory(amount=Decimal("99.125"))

    page = client.get(reverse("admin:ingest_fee_change", args=[fee.pk])).content.decode()
    plans = client.get(reverse("admin:ingest_plan_changelist")).content.decode()

    assert "60.0249999999" in page
    assert 'title="99.125 CAD">≈ 99.13<' in plans


def test_a_fee_shows_what_became_of_its_late_usage_and_the_carried_one_where_it_is_from(client):
    fee = factories.FeeFactory(late_amount=Decimal("20.03"), deferred_amount=Decimal("20.03"))
    factories.LateSettlementFactory(fee=fee, amount=Decimal("20.03"), events_count=3)
    late = factories.FeeFactory(
        kind="late",
        of_fee=fee,
        subscription=fee.subscription,
        charge=fee.charge,
        bucket=fee.public_id.hex,
        amount=Decimal("20.03"),
        period_label="2026-10",
        period_start=factories.PERIOD_END,
        period_end=factories.PERIOD_END + timedelta(days=31),
    )

    address, of_late = (reverse("admin:ingest_fee_change", args=[each.pk]) for each in (fee, late))
    page, carried = (client.get(each).content.decode() for each in (address, of_late))

    assert all(
        text in page for text in ("40.00", "+20.03", "Billed with the open period", "2026-10", of_late)
    )
    assert all(text in carried for text in (address, f"?fee={late.pk}", "Late usage of"))


def test_the_history_of_a_row_is_its_audit(client):
    customer = factories.CustomerFactory()
    record = factories.AuditRecordFactory(object_id=str(customer.public_id))
    factories.AuditRecordFactory()

    response = client.get(reverse("admin:ingest_customer_history", args=[customer.pk]), follow=True)

    assert list(response.context["cl"].result_list) == [record]


def test_the_audit_is_found_by_who_and_what(client, finance):
    service = factories.ServiceFactory()
    mine = factories.AuditRecordFactory(actor=finance, action="cutover.request", service=service)
    rule = factories.AuditRecordFactory(actor=None, actor_label="schedule", action="run.fetch")

    assert found(client, "auditrecord", by="people") == [mine]
    assert found(client, "auditrecord", by="rules") == [rule]
    assert found(client, "auditrecord", action="cutover.request") == [mine]
    assert found(client, "auditrecord", user="finance") == [mine]
    assert found(client, "auditrecord", service=service.code) == [mine]
    assert found(client, "auditrecord", service="nothing") == []


def test_a_plan_shows_its_charges_and_its_earlier_versions(client):
    charge = factories.ChargeFactory(properties={"amount": "0.0375"})
    plan = charge.plan
    plan.name = "Renamed"
    plan.save()

    page = client.get(reverse("admin:ingest_plan_change", args=[plan.pk])).content.decode()
    history = client.get(reverse("admin:ingest_plan_history", args=[plan.pk]))

    assert "0.0375" in page
    assert len(history.context["page_obj"].object_list) == 2


def test_a_plan_shows_which_of_its_charges_went(client):
    gone = factories.ChargeFactory(code="calls", deleted_at=factories.SEEN_AT)
    page = client.get(reverse("admin:ingest_plan_change", args=[gone.plan.pk])).content.decode()
    assert "calls" in page
    assert factories.SEEN_AT.strftime("%Y") in page
    assert found(client, "charge", q="calls") == [gone]
