"""A service's story as rows: catalogue, customers and subscriptions, linked to the stand-in's records."""

from decimal import Decimal

from django.contrib.auth.models import User
from django.db import transaction
from simple_history.utils import bulk_create_with_history

from billing_console.demo.odoo_seed import OdooIds
from billing_console.demo.periods import find_start
from billing_console.demo.terms import ServiceStory
from billing_console.demo.window import Window
from ingest.models import Charge, ChargeVersion, Customer, Metric, Plan, PlanVersion, Service, Subscription
from reconciliation import cutover
from reconciliation.models import Tolerance


@transaction.atomic
def create_service(story: ServiceStory, window: Window, ids: OdooIds, operator: User) -> Service:
    """The service with everything it sells and everyone it sells to, in its dual run; all of it or nothing."""
    service = Service.objects.create(code=story.code, name=story.name, timezone=story.timezone)
    Tolerance.objects.bulk_create(
        Tolerance(service=service, currency=currency, absolute=Decimal(absolute), relative=Decimal(relative))
        for currency, (absolute, relative) in story.tolerances.items()
    )
    plans = _create_plans(service, story, ids)
    _create_charges(service, story, ids, plans)
    _create_subscriptions(service, story, window, ids, plans)
    return cutover.start_dual_run(service=service, actor=operator)


def _create_plans(service: Service, story: ServiceStory, ids: OdooIds) -> dict[str, Plan]:
    plans = [
        Plan(
            service=service,
            code=plan.code,
            name=plan.name,
            interval=plan.interval,
            currency=plan.currency,
            odoo_product_id=_product(plan.product, ids),
        )
        for plan in story.plans
    ]
    created = {plan.code: plan for plan in bulk_create_with_history(plans, Plan)}
    PlanVersion.objects.bulk_create(
        PlanVersion(plan=created[plan.code], number=1, amount=Decimal(plan.amount)) for plan in story.plans
    )
    return created


def _create_charges(service: Service, story: ServiceStory, ids: OdooIds, plans: dict[str, Plan]) -> None:
    metrics = {
        metric.code: Metric(
            service=service,
            code=metric.code,
            name=metric.name,
            aggregation=metric.aggregation,
            field_name=metric.field_name,
        )
        for metric in story.metrics
    }
    Metric.objects.bulk_create(metrics.values())
    prices = [(plan, price) for plan in story.plans for price in plan.prices]
    charges = [
        Charge(
            service=service,
            plan=plans[plan.code],
            metric=metrics[price.metric],
            odoo_product_id=_product(price.product, ids),
        )
        for plan, price in prices
    ]
    ChargeVersion.objects.bulk_create(
        ChargeVersion(charge=charge, number=1, model=price.model, properties=dict(price.properties))
        for charge, (_, price) in zip(bulk_create_with_history(charges, Charge), prices, strict=True)
    )


def _create_subscriptions(
    service: Service, story: ServiceStory, window: Window, ids: OdooIds, plans: dict[str, Plan]
) -> None:
    customers = {
        account.id: Customer(
            service=service,
            external_id=account.id,
            name=account.company.name,
            odoo_partner_id=ids.partners[account.company.ref] if account.is_linked else None,
        )
        for account in story.accounts
    }
    Customer.objects.bulk_create(customers.values())
    Subscription.objects.bulk_create(
        Subscription(
            service=service,
            customer=customers[account.id],
            plan=plans[account.plan],
            external_id=account.id,
            billing_time=account.billing_time,
            started_at=find_start(story, account, window),
            odoo_order_id=ids.orders.get(account.id),
        )
        for account in story.accounts
    )


def _product(code: str | None, ids: OdooIds) -> int | None:
    return ids.products[code] if code else None
