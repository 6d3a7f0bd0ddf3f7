"""Services are told when usage crosses what they watch: each threshold once in a period (Lago: alert.triggered)."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from ingest.models import TriggeredAlert, UsageAlert
from reconciliation import alerts
from reconciliation.api.webhook_objects import show_triggered
from reconciliation.models import Delivery
from reconciliation.tasks import check_alerts as check_task
from tests import factories
from tests.ingest.selling import add_charge, make_subscription, post

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 9, 10, 13, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def subscription():
    """It pays 0.05 for each unit of `api`, and its service listens."""
    subscription = make_subscription(external_id="ours")
    add_charge(subscription, price="1")
    factories.WebhookEndpointFactory(service=subscription.service)
    return subscription


def watch(subscription, *values, alert_type="current_usage_amount", step=None, **fields):
    thresholds = [{"code": f"at-{value}", "value": str(value), "recurring": False} for value in values]
    if step:
        thresholds.append({"code": "again", "value": str(step), "recurring": True})
    return factories.UsageAlertFactory(
        service=subscription.service,
        external_subscription_id=subscription.external_id,
        alert_type=alert_type,
        thresholds=thresholds,
        **fields,
    )


def use(subscription, value, at=NOW):
    post(subscription, at, value=str(value), received_at=at, quantity=Decimal(value))


def check(now):
    """What was told by a look at this instant: the values that were crossed, by alert code."""
    before = Delivery.objects.count()
    alerts.check_alerts(now=now, show=show_triggered)
    bodies = Delivery.objects.order_by("pk").values_list("body", flat=True)[before:]
    told = [json.loads(body)["triggered_alert"] for body in bodies]
    return [
        (each["alert_code"], [Decimal(one["value"]) for one in each["crossed_thresholds"]]) for each in told
    ]


def test_it_is_told_in_lagos_shape_once(subscription):
    watch(subscription, 1000, 2000, step=500, code="spend", name="Spend")
    use(subscription, 26)
    assert check(NOW + MINUTE) == [("spend", [1000, 2000, 2500])]
    triggered, alert = TriggeredAlert.objects.get(), UsageAlert.objects.get()
    body = json.loads(Delivery.objects.get().body)
    assert (body["webhook_type"], body["object_type"]) == ("alert.triggered", "triggered_alert")
    assert body["triggered_alert"] == {
        "lago_id": str(triggered.public_id),
        "lago_organization_id": str(subscription.service.public_id),
        "lago_alert_id": str(alert.public_id),
        "lago_subscription_id": str(subscription.public_id),
        "external_subscription_id": "ours",
        "lago_wallet_id": None,
        "external_customer_id": subscription.customer.external_id,
        "billable_metric_code": None,
        "alert_name": "Spend",
        "alert_code": "spend",
        "alert_type": "current_usage_amount",
        "current_value": "2600.0",
        "previous_value": "0.0",
        "crossed_thresholds": [
            {"code": "at-1000", "value": "1000.0", "recurring": False},
            {"code": "at-2000", "value": "2000.0", "recurring": False},
            {"code": "again", "value": "2500.0", "recurring": True},
        ],
        "triggered_at": "2026-09-10T13:01:00Z",
        "subscription_external_id": "ours",
        "customer_external_id": subscription.customer.external_id,
    }
    assert (alert.previous_value, alert.last_processed_at) == (2600, NOW + MINUTE)
    assert check(NOW + 2 * MINUTE) == []
    use(subscription, 5, NOW + 3 * MINUTE)
    assert check(NOW + 4 * MINUTE) == [("spend", [3000])]
    check_task()
    assert Delivery.objects.count() == 2


def test_each_period_crosses_it_again_and_a_life_does_not(subscription):
    watch(subscription, 1000, code="period")
    watch(subscription, 1000, code="life", alert_type="lifetime_usage_amount")
    use(subscription, 20)
    assert sorted(check(NOW + MINUTE)) == [("life", [1000]), ("period", [1000])]
    october = datetime(2026, 10, 2, tzinfo=UTC)
    # More than before at the first look of the new period: nothing looked while it was less.
    use(subscription, 30, october)
    assert check(october + MINUTE) == [("period", [1000])]


def test_one_metric_is_watched_by_its_amount_or_its_units(subscription):
    other = add_charge(subscription, code="files", price="2")
    of = {"metric": subscription.plan.charges.first().metric}
    watch(subscription, 10, code="units", alert_type="billable_metric_current_usage_units", **of)
    watch(subscription, 1000, code="cents", alert_type="billable_metric_current_usage_amount", **of)
    sold = factories.MetricFactory(service=subscription.service, code="unsold")
    watch(subscription, 1, code="unsold", alert_type="billable_metric_current_usage_units", metric=sold)
    post(subscription, NOW, value="50", code=other.metric.code, received_at=NOW, quantity=Decimal(50))
    assert check(NOW) == []
    use(subscription, 10, NOW + MINUTE)
    assert sorted(check(NOW + 2 * MINUTE)) == [("cents", [1000]), ("units", [10])]
    assert TriggeredAlert.objects.get(alert__code="units").current_value == 10


def test_only_what_may_have_changed_is_looked_at(subscription, django_assert_max_num_queries):
    watch(subscription, 1000, code="spend")
    assert check(NOW) == []
    with django_assert_max_num_queries(5):
        assert check(NOW + 10 * MINUTE) == []
    # What arrives is dated back, and what no event changes is looked at within the hour.
    post(
        subscription, NOW - timedelta(days=3), value="20", received_at=NOW + 11 * MINUTE, quantity=Decimal(20)
    )
    assert check(NOW + 12 * MINUTE) == [("spend", [1000])]
    UsageAlert.objects.update(previous_value=0)
    assert check(NOW + 30 * MINUTE) == []
    assert check(NOW + 80 * MINUTE) == [("spend", [1000])]


def test_what_ended_was_deleted_or_cannot_be_priced_triggers_nothing(subscription):
    watch(subscription, 1, code="ended")
    watch(subscription, 2, code="deleted", alert_type="lifetime_usage_amount", deleted_at=NOW)
    use(subscription, 20)
    subscription.terminated_at = NOW
    subscription.save()
    assert check(NOW + MINUTE) == []
    assert UsageAlert.objects.get(code="ended").last_processed_at == NOW + MINUTE
    subscription.terminated_at = None
    subscription.save()
    add_charge(subscription, code="broken", properties={"amount": "x"})
    UsageAlert.objects.update(is_due=True)
    assert check(NOW + 2 * MINUTE) == []
    assert not TriggeredAlert.objects.exists()


def test_another_services_events_and_endpoints_are_no_ones_here(subscription):
    watch(subscription, 1000, code="spend")
    theirs = make_subscription(external_id="ours")
    add_charge(theirs, price="1")
    factories.WebhookEndpointFactory(service=theirs.service)
    check(NOW)
    use(theirs, 50, NOW + MINUTE)
    assert check(NOW + 2 * MINUTE) == []
    use(subscription, 50, NOW + 3 * MINUTE)
    assert check(NOW + 4 * MINUTE) == [("spend", [1000])]
    assert Delivery.objects.get().endpoint.service == subscription.service
