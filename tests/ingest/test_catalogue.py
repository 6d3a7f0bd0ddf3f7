"""Prices change by new versions, checked and audited."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction

from ingest.catalogue import InvalidChargeError, price_charge, price_plan
from ingest.errors import DomainError
from ingest.models import AuditRecord, Charge, ChargeVersion
from ingest.prices import PriceBook, current
from ingest.rating.charge_rules import ChargeTerms
from tests import factories

pytestmark = pytest.mark.django_db

NOVEMBER = datetime(2026, 11, 1, tzinfo=UTC)


def standard(amount="0.07", **terms):
    return ChargeTerms(model="standard", properties={"amount": amount}, **terms)


def test_a_new_version_prices_the_periods_that_end_after_it():
    charge = factories.ChargeFactory(properties={"amount": "0.05"})
    version = price_charge(
        charge=charge, terms=standard(), actor=None, effective_from=NOVEMBER, reason="indexed"
    )
    book = PriceBook({charge.plan_id})
    found = {
        end: book.find(plan_id=charge.plan_id, period_end=end).prices[0].properties["amount"]
        for end in (NOVEMBER, NOVEMBER.replace(day=2))
    }
    assert list(found.values()) == ["0.05", "0.07"]
    record = AuditRecord.objects.get()
    assert (record.action, record.reason) == ("charge.price", "indexed")
    assert (record.before["version"], record.after["version"]) == (1, version.number)


def test_of_two_versions_from_one_instant_the_later_one_corrects_the_other():
    charge = factories.ChargeFactory()
    for amount in ("0.06", "0.07"):
        price_charge(charge=charge, terms=standard(amount), actor=None, effective_from=NOVEMBER)
    prices = (
        PriceBook({charge.plan_id}).find(plan_id=charge.plan_id, period_end=NOVEMBER.replace(month=12)).prices
    )
    assert prices[0].properties == {"amount": "0.07"}


def test_a_charge_that_comes_or_goes_leaves_the_periods_that_ended_before():
    plan = factories.PlanFactory()
    gone = factories.ChargeFactory(plan=plan, deleted_at=NOVEMBER)
    metric = factories.MetricFactory(service=plan.service)
    new = Charge.objects.create(service=plan.service, plan=plan, metric=metric)
    price_charge(charge=new, terms=standard(), actor=None, effective_from=NOVEMBER)
    found = [
        [price.charge for price in PriceBook({plan.pk}).find(plan_id=plan.pk, period_end=end).prices]
        for end in (NOVEMBER, NOVEMBER.replace(day=2))
    ]
    assert found == [[gone], [new]]


def test_a_price_is_what_it_is_now_or_will_be_first():
    charge = factories.ChargeFactory()
    first = charge.versions.get()
    second = price_charge(charge=charge, terms=standard(), actor=None, effective_from=NOVEMBER)
    assert current([first, second], NOVEMBER) == second
    assert current([first, second], NOVEMBER.replace(month=10)) == first
    assert current([second], NOVEMBER.replace(month=10)) == second
    assert current([], NOVEMBER) is None


def test_only_who_may_change_charges_prices_them(finance):
    charge = factories.ChargeFactory()
    with pytest.raises(DomainError) as refused:
        price_charge(charge=charge, terms=standard(), actor=finance)
    assert refused.value.code == "permission_denied"
    assert ChargeVersion.objects.count() == 1


@pytest.mark.parametrize(
    ("terms", "field"),
    [
        (standard("cheap"), "amount"),
        (ChargeTerms("free", {}), "charge_model"),
        (ChargeTerms("dynamic", {}), "billable_metric"),
        (standard(is_prorated=True), "prorated"),
        (standard(is_pay_in_advance=True, min_amount=Decimal(1)), "min_amount_cents"),
        (ChargeTerms("volume", {"volume_ranges": []}, is_pay_in_advance=True), "volume_ranges"),
        (
            standard(filters=[{"values": {"cloud": ["ibm"]}, "properties": {"amount": "1"}}]),
            "filters[0].values.cloud",
        ),
        (
            standard(filters=[{"values": {"cloud": ["aws"]}, "properties": {}}]),
            "filters[0].properties.amount",
        ),
        (standard(filters=[{"values": {}, "properties": {"amount": "1"}}]), "filters[0].values"),
        (
            standard(
                filters=[
                    {"values": {"cloud": ["aws"]}, "properties": {"amount": "1"}},
                    {"values": {"region": ["eu"]}, "properties": {"amount": "1"}},
                ]
            ),
            "filters[0].values",
        ),
        (ChargeTerms("standard", {"amount": "1", "pricing_group_keys": "team"}), "pricing_group_keys"),
    ],
)
def test_terms_that_a_metric_cannot_have_are_refused_at_their_field(terms, field):
    metric = factories.MetricFactory(
        aggregation="count_agg", field_name="", filters={"cloud": ["aws", "gcp"], "region": ["eu"]}
    )
    charge = factories.ChargeFactory(metric=metric, plan=factories.PlanFactory(service=metric.service))
    with pytest.raises(InvalidChargeError) as refused:
        price_charge(charge=charge, terms=terms, actor=None)
    assert field in {error.field for error in refused.value.errors}
    assert charge.versions.count() == 1


def test_a_plans_amounts_are_versions_too(operator):
    plan = factories.PlanFactory(amount=Decimal(99))
    price_plan(plan=plan, amount=Decimal(120), actor=None, effective_from=NOVEMBER)
    book = PriceBook({plan.pk})
    found = [
        book.find(plan_id=plan.pk, period_end=end).plan.amount for end in (NOVEMBER, NOVEMBER.replace(day=30))
    ]
    assert found == [99, 120]
    with pytest.raises(DomainError):
        price_plan(plan=plan, amount=Decimal(-1), actor=None)


def test_a_version_is_never_changed():
    version = factories.ChargeFactory().versions.get()
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        ChargeVersion.objects.filter(pk=version.pk).update(properties={"amount": "0"})
