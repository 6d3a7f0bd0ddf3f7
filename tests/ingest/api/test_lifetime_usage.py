"""What a subscription used since its first start, through every change of plan (Lago: lifetime usage)."""

from datetime import UTC, datetime, timedelta

import pytest
from lago_python_client.models import LifetimeUsageResponse

from ingest.models import AuditRecord, Fee, Subscription
from tests import factories
from tests.ingest.api.refusals import refused
from tests.ingest.api.subscribing import NOW, gone, shown
from tests.ingest.selling import add_charge, bill, post

pytestmark = pytest.mark.django_db

PATH = "subscriptions/s/lifetime_usage"


@pytest.fixture
def used(subscribe, service, clock):
    """3 units in September and 7 of this month under one plan, 5 under the next, at 0.50 each; and plan fees."""
    shown(subscribe("basic", subscription_at="2026-09-01"))
    old = Subscription.objects.get()
    charge = add_charge(old, price="0.5")
    factories.ChargeFactory(
        plan=service.plans.get(code="pro"), metric=charge.metric, properties={"amount": "0.5"}
    )
    post(old, datetime(2026, 9, 10, tzinfo=UTC), "3")
    post(old, datetime(2026, 10, 10, tzinfo=UTC), "7")
    shown(subscribe("pro"))
    clock.shift(timedelta(hours=2))
    post(old, NOW + timedelta(hours=1), "5")
    for label in ("2026-09", "2026-10"):
        bill(service, label)


def amounts(answer):
    assert answer.status_code == 200, answer.content
    found = answer.json()["lifetime_usage"]
    assert LifetimeUsageResponse.parse_obj(found).external_subscription_id == "s"
    return tuple(
        found[f"{name}_usage_amount_cents"] for name in ("external_historical", "invoiced", "current")
    )


@pytest.mark.usefixtures("used")
def test_it_is_all_that_was_used_under_the_external_id(call):
    answer = call("GET", PATH)
    assert amounts(answer) == (0, 500, 250)
    assert answer.json()["lifetime_usage"]["from_datetime"] == "2026-09-01T00:00:00Z"


@pytest.mark.usefixtures("used")
def test_reading_it_rates_nothing(call):
    before = list(Fee.objects.order_by("pk").values())
    call("GET", PATH)
    assert list(Fee.objects.order_by("pk").values()) == before


@pytest.mark.usefixtures("used")
def test_what_was_used_before_is_said_once_and_kept_through_a_change_of_plan(call, subscribe):
    body = {"lifetime_usage": {"external_historical_usage_amount_cents": "1200"}}
    assert amounts(call("PUT", PATH, body)) == (1200, 500, 250)
    factories.PlanFactory(service=Subscription.objects.first().service, code="max", amount=99)
    shown(subscribe("max"))
    assert amounts(call("GET", PATH))[0] == 1200
    assert AuditRecord.objects.filter(action="subscription.change").exists()


@pytest.mark.parametrize("cents", [None, -1, 10**30, "x", "1e400"])
def test_what_is_no_amount_is_refused(call, subscribe, cents):
    shown(subscribe())
    body = {"lifetime_usage": {"external_historical_usage_amount_cents": cents}}
    assert set(refused(call("PUT", PATH, body))) == {"external_historical_usage_amount_cents"}


def test_another_services_is_not_there(call):
    factories.SubscriptionFactory(external_id="s")
    body = {"lifetime_usage": {"external_historical_usage_amount_cents": 1}}
    assert gone(call("GET", PATH))
    assert gone(call("PUT", PATH, body))
    assert Subscription.objects.get().profile == {}
