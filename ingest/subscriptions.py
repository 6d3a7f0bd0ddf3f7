"""Subscriptions as a service keeps them: begun, moved to another plan, changed and ended (Lago: subscriptions)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from ingest.billers import forget_terms
from ingest.calendar import customer_timezone, grid_of
from ingest.customers import find_or_make_customer, lock_customer, refuse_currency
from ingest.errors import DomainError
from ingest.metering.arithmetic import ZERO, exact_product
from ingest.metering.periods import PERIODS_A_YEAR, Interval, billing_period
from ingest.models import BillingTime, Customer, Fee, Phase, Plan, Service, Subscription
from ingest.prices import plan_version_at
from ingest.services import lock_service
from ingest.terminations import cancel, describe, end_for, next_of, not_over, record, terminate

Values = Mapping[str, Any]
ONE_AT_A_TIME = "subscription_one_at_a_time"


@dataclass(frozen=True, slots=True)
class _Wish:
    """The plan that is asked for and what goes with it; when, and by whom."""

    plan: Plan
    values: Values
    now: datetime
    rule: str


@transaction.atomic
def subscribe(
    *,
    service_id: int,
    external_customer_id: str,
    plan_code: str,
    external_id: str,
    values: Values,
    rule: str,
) -> Subscription:
    """Puts a customer on a plan under an external id, now or when `subscription_at` says; audited.

    A customer that there is not is made. On the same plan already, it is answered as it is. On another one, a plan
    that costs a year as much or more takes over now; a cheaper one when the current period ends, and until then
    the current one is answered (Lago: upgrade, downgrade). One that has not begun changes its plan itself.

    `values` may hold name, billing_time, subscription_at, ending_at and profile. Refuses `unknown_plan`,
    `external_id_is_taken` by another customer, `currencies_differ`, `end_is_not_ahead` for an end that is past or
    not after its start, and `start_is_taken` by an earlier subscription of that external id.
    """
    plan = Plan.objects.filter(service=service_id, code=plan_code, deleted_at=None).first()
    if plan is None:
        raise DomainError("unknown_plan", "There is no such plan.")
    _lock_external_id(service_id, external_id)
    customer = find_or_make_customer(service_id=service_id, external_id=external_customer_id, rule=rule)
    now = timezone.now()
    _refuse_end(values.get("ending_at"), now)
    wish = _Wish(plan, values, now, rule)
    current = _find_current(service_id, external_id, now)
    if current is None:
        return _begin(customer, external_id, wish)
    if current.customer_id != customer.pk:
        raise DomainError("external_id_is_taken", "Another customer has a subscription of that id.")
    return _change_plan(current, wish)


@transaction.atomic
def change_subscription(*, subscription: Subscription, values: Values, rule: str) -> Subscription:
    """Changes a subscription's name, agreed end (none for None) and profile; one that is to begin also its start.

    Audited. Refuses `unknown_subscription` for one that is over, `end_is_not_ahead` and `start_is_taken`.
    """
    row, now = _lock(subscription)
    before = describe(row)
    if "name" in values:
        row.name = values["name"]
    row.profile = {**row.profile, **values.get("profile", {})}
    if "subscription_at" in values and row.started_at > now and row.previous is None:
        _move_start(row, values["subscription_at"], now)
    if "ending_at" in values:
        _move_end(row, values["ending_at"], now, rule)
    _refuse_end(row.ending_at, row.started_at)
    if describe(row) != before:
        _store(row)
        record(row, "subscription.change", rule, before)
    return row


@transaction.atomic
def end_subscription(*, subscription: Subscription, values: Values, rule: str) -> Subscription:
    """Terminates a subscription that runs, now, or cancels one that is to begin; audited.

    What was to follow it is canceled too; what a canceled one was to replace goes on. `values` may hold a
    profile. Refuses `unknown_subscription` for one that is over.
    """
    row, now = _lock(subscription)
    row.profile = {**row.profile, **values.get("profile", {})}
    if row.started_at > now:
        cancel(row, now=now, rule=rule)
    else:
        terminate(row, now=now, rule=rule)
    return row


@transaction.atomic
def take_over(*, customer: Customer, plan: Plan, external_id: str, terms: Values, rule: str) -> Subscription:
    """A subscription that began elsewhere, with its own dates; audited. The service bills it, as it did.

    `terms` hold columns: started_at and metered_from, and any of name, billing_time, subscription_at, ending_at,
    terminated_at and profile; `follows` is the code of the plan that it took over from, where it did: that one, if
    it is here, ends where this one starts. Refuses `service_is_live`, `currencies_differ`, `start_is_taken` and
    `external_id_is_taken`.
    """
    _lock_external_id(customer.service_id, external_id)
    customer = lock_customer(customer.pk)
    refuse_live(customer.service)
    _take_currency(customer, plan)
    columns = {name: value for name, value in terms.items() if name != "follows"}
    row = Subscription(
        service=customer.service, customer=customer, plan=plan, external_id=external_id, **columns
    )
    row.previous = _hand_over(row, terms.get("follows", ""), rule)
    _store(row)
    record(row, "subscription.take_over", rule)
    return row


@transaction.atomic
def keep_up(*, subscription: Subscription, plan: Plan, terms: Values, rule: str) -> Subscription:
    """Gives a subscription that was taken over what became of it elsewhere, audited; `terms` as in `take_over`.

    Its plan and its start can only become others while no period of it was metered (`periods_are_billed`);
    `metered_from` moves back, never forward. Refuses what is `canceled` here already (`unknown_subscription`).
    """
    _lock_external_id(subscription.service_id, subscription.external_id)
    customer = lock_customer(subscription.customer_id)
    refuse_live(customer.service)
    rows = Subscription.objects.select_related("plan", "customer__service", "previous__plan")
    row = rows.get(pk=subscription.pk)
    if row.canceled_at is not None:
        raise DomainError("unknown_subscription", "It was canceled here.")
    before = describe(row)
    is_moved = plan.pk != row.plan_id or terms["started_at"] != row.started_at
    if is_moved and Fee.objects.filter(subscription=row).exclude(amount=0, quantity=0).exists():
        raise DomainError(
            "periods_are_billed", "Its plan or its start changed, and periods were metered by them."
        )
    if is_moved:
        _forget(row)
        _take_currency(customer, plan)
        row.plan = plan
    for name, value in terms.items():
        if name not in ("follows", "metered_from", "profile"):
            setattr(row, name, value)
    row.profile = {**row.profile, **terms.get("profile", {})}
    if row.metered_from is not None:
        row.metered_from = min(row.metered_from, terms["metered_from"])
    if describe(row) != before:
        _store(row)
        record(row, "subscription.keep_up", rule, before)
    return row


def refuse_live(service: Service) -> None:
    """Refuses a service of which Odoo bills, or is about to bill, what begins (`service_is_live`)."""
    if service.phase in (Phase.APPROVED, Phase.LIVE):
        raise DomainError(
            "service_is_live", f"The cutover of {service} is decided: Odoo bills what comes now."
        )


def yearly_amount(plan: Plan, at: datetime) -> Decimal:
    """What a plan's base amount comes to in a year, by the price in force then (Lago: yearly amount)."""
    version = plan_version_at(plan, at)
    periods = Decimal(PERIODS_A_YEAR[Interval(plan.interval)])
    return exact_product(version.amount, periods) if version else ZERO


def _lock_external_id(service_id: int, external_id: str) -> None:
    """One at a time under an external id, whoever the customer is: else two would meet in the exclusion constraint,
    each waiting for the other."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, %s))", [external_id, service_id])


def _find_current(service_id: int, external_id: str, now: datetime) -> Subscription | None:
    """What the external id means now: the one that runs, else the first that is to begin."""
    return not_over(now).filter(service=service_id, external_id=external_id).first()


def _lock(subscription: Subscription) -> tuple[Subscription, datetime]:
    """The row under its customer's lock, and the time since when it is."""
    _lock_external_id(subscription.service_id, subscription.external_id)
    lock_customer(subscription.customer_id)
    now = timezone.now()
    row = not_over(now).select_related("plan", "customer__service", "previous__plan").filter(
        pk=subscription.pk
    ).first()  # fmt: skip
    if row is None:
        raise DomainError("unknown_subscription", "There is no such subscription.")
    return row, now


def _begin(customer: Customer, external_id: str, wish: _Wish) -> Subscription:
    starts_at = wish.values.get("subscription_at") or wish.now
    _take_currency(customer, wish.plan)
    row = Subscription(
        service=customer.service,
        customer=customer,
        plan=wish.plan,
        external_id=external_id,
        name=wish.values.get("name", ""),
        billing_time=wish.values.get("billing_time") or BillingTime.CALENDAR,
        subscription_at=starts_at,
        started_at=starts_at,
        plan_billed_from=_billed_from(customer, wish.plan, starts_at, wish.now),
        profile=wish.values.get("profile", {}),
    )
    _end_at(row, wish.values.get("ending_at"))
    _store(row)
    record(row, "subscription.begin", wish.rule)
    return row


def _hand_over(row: Subscription, plan_code: str, rule: str) -> Subscription | None:
    """The one that a subscription took over from, ended at the instant at which the other starts.

    Elsewhere the two instants may lie apart; here there is no time between them, in which events would be nobody's.
    """
    if not plan_code:
        return None
    earlier = Subscription.objects.filter(
        customer=row.customer,
        external_id=row.external_id,
        plan__code=plan_code,
        started_at__lt=row.started_at,
        canceled_at=None,
    )
    previous = earlier.select_related("plan", "customer__service").order_by("-started_at").first()
    if previous is None or previous.terminated_at == row.started_at:
        return previous
    before = describe(previous)
    previous.terminated_at = row.started_at
    _store(previous)
    record(previous, "subscription.hand_over", rule, before)
    return previous


def _change_plan(current: Subscription, wish: _Wish) -> Subscription:
    if current.plan_id == wish.plan.pk:
        return current
    if current.plan.currency != wish.plan.currency:
        raise DomainError("currencies_differ", "Amounts of two currencies cannot be compared.")
    if current.started_at > wish.now:
        return _replan(current, wish)
    is_dearer = yearly_amount(wish.plan, wish.now) >= yearly_amount(current.plan, wish.now)
    return _upgrade(current, wish) if is_dearer else _downgrade(current, wish)


def _upgrade(current: Subscription, wish: _Wish) -> Subscription:
    """The dearer plan takes over at this instant: both parts of the period are billed, each by its own plan."""
    terminate(current, now=wish.now, rule=wish.rule, action="subscription.upgrade")
    return _follow(current, wish, starts_at=end_for(current, wish.now))


def _downgrade(current: Subscription, wish: _Wish) -> Subscription:
    """The cheaper plan takes over when the current period ends; both rows say so already, no sweep has to."""
    following = next_of(current, wish.now)
    if following is not None and following.plan_id == wish.plan.pk:
        return current
    if following is not None:
        cancel(following, now=wish.now, rule=wish.rule)
        current.refresh_from_db(fields=["terminated_at"])
    before = describe(current)
    ends_at = billing_period(at=wish.now, **grid_of(current)).end
    current.ending_at = wish.values.get("ending_at", current.ending_at)
    current.terminated_at = ends_at
    _store(current)
    record(current, "subscription.downgrade", wish.rule, before)
    _follow(current, wish, starts_at=ends_at)
    return current


def _follow(current: Subscription, wish: _Wish, *, starts_at: datetime) -> Subscription:
    """The next link of the chain: it keeps the customer, the external id and what anniversaries count from."""
    row = Subscription(
        service=current.customer.service,
        customer=current.customer,
        plan=wish.plan,
        external_id=current.external_id,
        name=wish.values.get("name", ""),
        billing_time=current.billing_time,
        subscription_at=current.anchor,
        started_at=starts_at,
        previous=current,
        profile={**current.profile, **wish.values.get("profile", {})},
    )
    _end_at(row, wish.values.get("ending_at", current.ending_at))
    _store(row)
    record(row, "subscription.begin", wish.rule)
    return row


def _replan(current: Subscription, wish: _Wish) -> Subscription:
    """One that has not begun is on the other plan from its start."""
    _forget(current)
    before = describe(current)
    current.plan = wish.plan
    current.name = wish.values.get("name") or current.name
    _store(current)
    record(current, "subscription.change", wish.rule, before)
    return current


def _move_start(row: Subscription, starts_at: datetime, now: datetime) -> None:
    _forget(row)
    row.subscription_at = row.started_at = starts_at
    row.plan_billed_from = _billed_from(row.customer, row.plan, starts_at, now)


def _move_end(row: Subscription, ending_at: datetime | None, now: datetime, rule: str) -> None:
    """The agreed end of the chain: what is to follow ends then, or is canceled if it would begin no earlier."""
    _refuse_end(ending_at, now)
    following = next_of(row, now)
    if following is None:
        _end_at(row, ending_at)
    elif ending_at is not None and ending_at <= following.started_at:
        cancel(following, now=now, rule=rule)
        _end_at(row, ending_at)
    else:
        row.ending_at = ending_at
        before = describe(following)
        _end_at(following, ending_at)
        _store(following)
        record(following, "subscription.change", rule, before)


def _end_at(row: Subscription, ending_at: datetime | None) -> None:
    _refuse_end(ending_at, row.started_at)
    row.ending_at = row.terminated_at = ending_at


def _refuse_end(ending_at: datetime | None, after: datetime) -> None:
    if ending_at is not None and ending_at <= after:
        raise DomainError("end_is_not_ahead", "The end must be in the future, and after the start.")


def _forget(row: Subscription) -> None:
    """Who bills it was decided on periods that it will not have; a cutover waits until that is undone."""
    lock_service(row.service_id)
    forget_terms([row], reason="Its periods changed before it began.")


def _take_currency(customer: Customer, plan: Plan) -> None:
    if customer.currency and customer.currency != plan.currency:
        raise DomainError("currencies_differ", f"{customer} is billed in {customer.currency}.")
    refuse_currency(customer, plan.currency)
    if not customer.currency:
        customer.currency = plan.currency
        customer.save(update_fields=["currency", "updated_at"])


def _billed_from(customer: Customer, plan: Plan, starts_at: datetime, now: datetime) -> datetime | None:
    """A period that was to be paid when it began, before anyone knew of it, is not billed back (Lago)."""
    zone = customer_timezone(customer)
    is_past = starts_at.astimezone(zone).date() < now.astimezone(zone).date()
    return now if plan.is_pay_in_advance and is_past else None


def _store(row: Subscription) -> None:
    """Writes the row; another one of that external id at the same time is refused by the database."""
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError as error:
        if ONE_AT_A_TIME not in str(error):
            raise
        current = _find_current(row.service_id, row.external_id, timezone.now())
        if current is not None and current.customer_id != row.customer_id:
            raise DomainError("external_id_is_taken", "Another customer has that subscription.") from error
        raise DomainError("start_is_taken", "Another subscription of that id ran then.") from error
