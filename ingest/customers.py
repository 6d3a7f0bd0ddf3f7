"""Customers as a service keeps them, and the account link: which Odoo partner each of them is."""

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from ingest import audit
from ingest.billers import forget_terms
from ingest.calendar import grid_of
from ingest.errors import DomainError, require_permission
from ingest.metering.periods import billing_period
from ingest.models import Biller, BillerTerm, Customer, Fee, Subscription
from ingest.services import lock_service
from ingest.terminations import end_all

COLUMNS = ("name", "email", "currency")
STRIPE = "stripe"


@transaction.atomic
def upsert_customer(*, service_id: int, values: Mapping[str, Any], rule: str) -> Customer:
    """Makes or changes the customer of `external_id`: only what is given changes, audited (Lago: customers).

    `values` are columns of the model already checked, and under `profile` the rest in Lago's names. A deleted one
    is the same row again, with its Odoo link. Refuses another currency than its subscriptions have
    (`currencies_differ`), and another time zone once a period of it has been billed (`periods_are_billed`): until
    then all of its periods are those of the new zone. `rule` says what asked, as in `audit.Decision`.
    """
    row, is_new = _find_or_make(service_id, values["external_id"], rule)
    before = _describe(row)
    if "timezone" in values and values["timezone"] != row.timezone:
        _move_to(row, values["timezone"])
    if "currency" in values:
        refuse_currency(row, values["currency"])
    for name in COLUMNS:
        if name in values:
            setattr(row, name, values[name])
    _take_profile(row, values.get("profile", {}))
    after = _describe(row)
    if after != before:
        row.save(force_update=True)
        if not is_new:
            _record(row, "customer.change", rule, before, after)
    if is_new:
        _record(row, "customer.create", rule, {}, after)
    return row


@transaction.atomic
def delete_customer(*, customer: Customer, rule: str) -> Customer:
    """Deletes a customer: what it has running ends now, what it has pending is canceled; its rows stay.

    Refuses with `unknown_customer` when it is deleted already.
    """
    row = lock_customer(customer.pk)
    if row.deleted_at is not None:
        raise DomainError("unknown_customer", "There is no such customer.")
    before, now = _describe(row), timezone.now()
    end_all(row, now=now, rule=rule)
    row.deleted_at = now
    row.save(update_fields=["deleted_at", "updated_at"])
    _record(row, "customer.delete", rule, before, {})
    return row


@transaction.atomic
def link(*, customer: Customer, odoo_partner_id: int | None, actor: User) -> bool:
    """Links a customer to an Odoo partner, or to none, audited; returns whether that changed anything.

    Refuses who may not change customers (`permission_denied`) and an id that Odoo cannot have
    (`invalid_partner`). Several customers may share one partner.
    """
    require_permission(actor, "ingest.change_customer")
    if odoo_partner_id is not None and odoo_partner_id < 1:
        raise DomainError("invalid_partner", "An Odoo partner id is a whole number from 1 on.")
    row = lock_customer(customer.pk)
    before = row.odoo_partner_id
    if before == odoo_partner_id:
        return False
    row.odoo_partner_id = odoo_partner_id
    row.save(update_fields=["odoo_partner_id"])
    audit.record(
        actor=actor,
        action="customer.link",
        target=row,
        service=row.service,
        before={"odoo_partner_id": before},
        after={"odoo_partner_id": odoo_partner_id},
    )
    return True


def lock_customer(pk: int) -> Customer:
    """The customer as it is now, locked: what happens to its subscriptions happens one after the other.

    What refers to it passes this lock, as in `lock_service`.
    """
    locked = Customer.objects.select_for_update(of=("self",), no_key=True)
    return locked.select_related("service").get(pk=pk)


def find_or_make_customer(*, service_id: int, external_id: str, rule: str) -> Customer:
    """The customer of that id, locked; one that there is not yet is made, a deleted one is restored."""
    row, is_new = _find_or_make(service_id, external_id, rule)
    if is_new:
        _record(row, "customer.create", rule, {}, _describe(row))
    return row


def refuse_currency(customer: Customer, currency: str) -> None:
    """Refuses a currency that the customer's subscriptions do not have (`currencies_differ`).

    Amounts of two currencies cannot be compared, let alone added (Lago: locked once billed).
    """
    if currency == customer.currency:
        return
    plans = Subscription.objects.filter(customer=customer, canceled_at=None).values("plan__currency")
    if plans.exclude(plan__currency=currency).exists():
        raise DomainError("currencies_differ", f"{customer} has subscriptions in another currency.")


def _find_or_make(service_id: int, external_id: str, rule: str) -> tuple[Customer, bool]:
    """The row, locked, and whether it is new; two that make it at once get the same one."""
    rows = Customer.objects.filter(service_id=service_id, external_id=external_id)
    pk = rows.values_list("pk", flat=True).first()
    made = None
    if pk is None:
        made = Customer(service_id=service_id, external_id=external_id)
        Customer.objects.bulk_create([made], ignore_conflicts=True)
        pk = rows.values_list("pk", flat=True).get()
    row = lock_customer(pk)
    if row.deleted_at is not None:
        before = {"deleted_at": row.deleted_at.isoformat()}
        row.deleted_at = None
        row.save(update_fields=["deleted_at", "updated_at"])
        _record(row, "customer.restore", rule, before, _describe(row))
    return row, made is not None and made.public_id == row.public_id


def _move_to(customer: Customer, zone: str) -> None:
    """Gives all periods of a customer other midnights; refuses once one of them was billed (`periods_are_billed`).

    Billed is a period that has ended, that has a fee, or that was handed back to the service: with other bounds
    a part of it would be billed twice, or not at all. Who bills those that are left is decided anew.
    """
    lock_service(customer.service_id)
    rows = list(
        Subscription.objects.filter(customer=customer, canceled_at=None).select_related(
            "plan", "customer__service"
        )
    )
    now = timezone.now()
    is_billed = (
        any(billing_period(at=row.started_at, **grid_of(row)).end <= now for row in rows)
        or Fee.objects.filter(subscription__in=rows).exclude(amount=0, quantity=0).exists()
        or BillerTerm.objects.filter(subscription__in=rows, biller=Biller.SERVICE).exists()
    )
    if is_billed:
        raise DomainError("periods_are_billed", f"Periods of {customer} were billed by its time zone.")
    forget_terms(rows, reason="The customer's time zone changed before a period was billed.")
    customer.timezone = zone


def _take_profile(customer: Customer, given: Mapping[str, Any]) -> None:
    profile = {**customer.profile}
    for name, value in given.items():
        if isinstance(value, dict):
            profile[name] = {**profile.get(name, {}), **value}
        elif name in _LISTED:
            profile[name] = _number(value, profile.get(name, ()), _LISTED[name])
        else:
            profile[name] = value
    billing = profile.get("billing_configuration", {})
    if billing.get("payment_provider") == STRIPE and "provider_customer_id" in billing:
        # The one place that says which Stripe customer it is.
        customer.stripe_customer_id = billing.pop("provider_customer_id")
    customer.profile = profile


# By which fields an entry of a list is the one that it was; the list itself is replaced.
_LISTED: Mapping[str, tuple[str, ...]] = {
    "metadata": ("key",),
    "integration_customers": ("integration_type", "integration_code"),
}


def _number(
    given: Sequence[Mapping[str, Any]], known: Sequence[Mapping[str, Any]], names: Sequence[str]
) -> list[dict[str, Any]]:
    """The entries with their ids: the one that they name, else that of the same entry, else a new one."""
    ids = {entry["lago_id"] for entry in known}
    by_name = {tuple(entry.get(name) for name in names): entry["lago_id"] for entry in known}
    numbered = []
    for entry in given:
        told = entry.get("id")
        own = by_name.get(tuple(entry.get(name) for name in names))
        lago_id = told if told in ids else own or str(uuid.uuid4())
        numbered.append({"lago_id": lago_id, **{name: entry[name] for name in entry if name != "id"}})
    return numbered


def _describe(customer: Customer) -> dict[str, Any]:
    return {
        "external_id": customer.external_id,
        "name": customer.name,
        "email": customer.email,
        "timezone": customer.timezone,
        "currency": customer.currency,
        "stripe_customer_id": customer.stripe_customer_id,
        "profile": customer.profile,
    }


def _record(
    customer: Customer, action: str, rule: str, before: Mapping[str, Any], after: Mapping[str, Any]
) -> None:
    audit.record(
        actor=None,
        action=action,
        target=customer,
        service=customer.service,
        before=before,
        after=after,
        rule=rule,
    )
