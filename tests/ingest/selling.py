"""What the tests of metering and rating sell: a service's plan with charges, and events posted to it."""

from decimal import Decimal

from ingest.fees import rate_period
from ingest.models import Aggregation
from ingest.usage import meter_period
from tests import factories

NOW = factories.SEEN_AT


def make_subscription(*, service=None, amount="0", currency="CAD", interval="monthly", **values):
    """A subscription from January 2026 on a plan of its own, without charges."""
    service = service or factories.ServiceFactory()
    plan = factories.PlanFactory(
        service=service, amount=Decimal(amount), currency=currency, interval=interval
    )
    customer = values.pop("customer", None) or factories.CustomerFactory(service=service)
    return factories.SubscriptionFactory(customer=customer, plan=plan, **values)


def add_charge(subscription, code="api", *, aggregation=Aggregation.SUM, price="0.05", **values):
    """A standard charge on the subscription's plan, for a metric of that code."""
    metric = factories.MetricFactory(
        service=subscription.service,
        code=code,
        aggregation=aggregation,
        field_name="value" if aggregation == Aggregation.SUM else "",
    )
    return factories.ChargeFactory(
        plan=subscription.plan, metric=metric, **{"properties": {"amount": price}, **values}
    )


def post(subscription, at, value=None, code="api", **values):
    """One event, its quantity left to be read from the properties, as for one that is older than its metric."""
    properties = {} if value is None else {"value": value}
    return factories.UsageEventFactory(
        service=subscription.service,
        external_subscription_id=subscription.external_id,
        code=code,
        timestamp=at,
        **{"properties": properties, "quantity": None, **values},
    )


def bill(service, label=factories.PERIOD_LABEL, now=NOW, **values):
    """Meters and rates a period; returns how many rows of each changed."""
    return (
        meter_period(service=service, period_label=label, now=now, **values),
        rate_period(service=service, period_label=label, now=now, **values),
    )
