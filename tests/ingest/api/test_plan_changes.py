"""What a plan's change makes of its price and its charges, for the past and from now on (Lago: plans)."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from ingest.models import BEGINNING, AuditRecord, Charge, ChargeVersion, Plan, PlanVersion
from tests import factories
from tests.ingest.api.refusals import refused
from tests.ingest.api.test_plans import change, is_refused_with, make, shown, standard

pytestmark = pytest.mark.django_db


@pytest.fixture
def metric(service):
    """What the charges price."""
    return factories.MetricFactory(service=service, code="api", filters={"region": ["eu", "us"]})


def subscribe(service, **values):
    """A subscription on the service's only plan."""
    customer = factories.CustomerFactory(service=service)
    return factories.SubscriptionFactory(plan=Plan.objects.get(), customer=customer, **values)


def is_now(moment):
    return timezone.now() - timedelta(minutes=1) < moment <= timezone.now()


class TestPlan:
    def test_changes_by_what_is_given(self, call):
        make(call)
        plan = shown(change(call, name="Max", code=None, invoice_display_name=""))
        assert (plan["name"], plan["code"], plan["invoice_display_name"]) == ("Max", "pro", None)
        assert (plan["description"], plan["amount_cents"], plan["trial_period"]) == ("For teams", 4900, 14)
        record = AuditRecord.objects.get(action="plan.change")
        assert (record.before["name"], record.after["name"]) == ("Pro", "Max")

    def test_put_again_as_it_is_changes_nothing(self, call, service, metric):
        filters = [
            {"values": {"region": ["eu"]}, "properties": {"amount": "1"}, "invoice_display_name": "EU"}
        ]
        charge = standard(
            metric, min_amount_cents=1, filters=filters, properties={"amount": 1, "grouped_by": ["a"]}
        )
        plan = shown(make(call, charge, minimum_commitment={"amount_cents": 5}))
        subscribe(service)
        count = AuditRecord.objects.count()
        assert shown(change(call, **plan)) == plan
        assert shown(change(call, **{**plan, "charges": [charge]})) == plan
        assert (PlanVersion.objects.count(), ChargeVersion.objects.count()) == (1, 1)
        assert AuditRecord.objects.count() == count

    def test_an_amount_finer_than_a_cent_is_not_changed_by_its_rounded_figure(self, call, service):
        factories.PlanFactory(service=service, code="pro", amount=Decimal("99.005"))
        assert shown(change(call, amount_cents=9901, name="x"))["amount_cents"] == 9901
        assert PlanVersion.objects.get().amount == Decimal("99.005")

    def test_a_price_of_a_plan_in_use_changes_from_now_on(self, call, service):
        make(call, minimum_commitment={"amount_cents": 5})
        subscribe(service)
        plan = shown(change(call, amount_cents=5900))
        assert (plan["amount_cents"], plan["minimum_commitment"]["amount_cents"]) == (5900, 5)
        first, second = PlanVersion.objects.order_by("number")
        assert (first.effective_from, first.amount) == (BEGINNING, 49)
        assert is_now(second.effective_from)
        assert (second.amount, second.trial_days) == (59, 14)

    def test_a_price_of_a_plan_that_nobody_had_changes_for_every_period(self, call, metric):
        make(call, standard(metric))
        change(call, amount_cents=5900, charges=[standard(metric, "0.07")])
        assert set(PlanVersion.objects.values_list("effective_from", flat=True)) == {BEGINNING}
        assert set(ChargeVersion.objects.values_list("effective_from", flat=True)) == {BEGINNING}

    def test_an_empty_commitment_takes_it_away_and_its_name_alone_does_not(self, call):
        make(call, minimum_commitment={"amount_cents": 5})
        kept = shown(change(call, minimum_commitment={"invoice_display_name": "At least"}))
        assert kept["minimum_commitment"]["amount_cents"] == 5
        assert shown(change(call, minimum_commitment={}))["minimum_commitment"] is None

    @pytest.mark.parametrize(
        ("field", "value"),
        [("code", "new"), ("interval", "yearly"), ("amount_currency", "USD"), ("pay_in_advance", True)],
    )
    def test_what_its_periods_are_told_by_stays_once_it_is_in_use(self, call, service, field, value):
        make(call)
        assert shown(change(call, **{field: value}))[field] == value
        old = Plan.objects.get()
        subscribe(service)
        given = {"code": "other", "interval": "weekly", "amount_currency": "EUR", "pay_in_advance": False}
        answer = change(call, old.code, **{field: given[field], "name": "Max"})
        assert refused(answer) == {field: ["plan_in_use"]}
        assert Plan.objects.get().name == "Pro"

    def test_a_currency_of_other_cents_is_another_price(self, call):
        make(call)
        assert refused(change(call, amount_currency="JPY")) == {"amount_currency": ["value_is_invalid"]}

    def test_a_code_cannot_be_changed_to_another_ones(self, call):
        make(call)
        make(call, code="other")
        assert refused(change(call, "other", code="pro")) == {"code": ["value_already_exist"]}

    def test_a_change_is_checked_with_what_is_there(self, call):
        make(call, interval="yearly")
        answer = change(call, bill_charges_monthly=True)
        assert refused(answer) == {"bill_charges_monthly": ["feature_unavailable"]}


class TestCharge:
    def test_without_charges_they_stay(self, call, metric):
        make(call, standard(metric))
        assert len(shown(change(call, name="Max"))["charges"]) == 1
        assert len(shown(change(call, charges=None))["charges"]) == 1

    def test_a_price_that_changes_is_a_new_version(self, call, service, metric):
        (charge,) = shown(make(call, standard(metric)))["charges"]
        subscribe(service)
        (changed,) = shown(
            change(call, charges=[{"id": charge["lago_id"], "properties": {"amount": "0.07"}}])
        )["charges"]
        assert changed == {**charge, "properties": {"amount": "0.07"}}
        first, second = ChargeVersion.objects.order_by("number")
        assert (first.properties, first.effective_from) == ({"amount": "0.05"}, BEGINNING)
        assert is_now(second.effective_from)
        record = AuditRecord.objects.filter(action="charge.price").latest("pk")
        assert record.actor_label.startswith("API key bc_")

    def test_only_a_name_makes_no_version(self, call, metric):
        (charge,) = shown(make(call, standard(metric)))["charges"]
        named = {"id": charge["lago_id"], "invoice_display_name": "Calls", "code": "calls"}
        (changed,) = shown(change(call, charges=[named]))["charges"]
        assert changed == {**charge, "invoice_display_name": "Calls", "code": "calls"}
        assert ChargeVersion.objects.count() == 1
        assert AuditRecord.objects.get(action="charge.change").after["code"] == "calls"

    def test_without_an_id_it_is_known_by_its_code_then_by_its_metric(self, call, metric):
        first, second = shown(make(call, standard(metric), standard(metric)))["charges"]
        answer = change(call, charges=[standard(metric, "1"), standard(metric, "2", code="api")])
        changed = {charge["lago_id"]: charge for charge in shown(answer)["charges"]}
        assert changed[first["lago_id"]]["properties"] == {"amount": "2"}
        assert changed[second["lago_id"]]["properties"] == {"amount": "1"}
        assert Charge.objects.count() == 2

    def test_two_charges_swap_their_codes(self, call, metric):
        first, second = shown(make(call, standard(metric), standard(metric)))["charges"]
        swapped = [
            {"id": first["lago_id"], "code": second["code"]},
            {"id": second["lago_id"], "code": first["code"]},
        ]
        charges = shown(change(call, charges=swapped))["charges"]
        assert [charge["code"] for charge in charges] == [second["code"], first["code"]]

    def test_one_that_is_added_to_a_plan_in_use_prices_from_now_on(self, call, service, metric):
        (charge,) = shown(make(call, standard(metric)))["charges"]
        subscribe(service)
        other = factories.MetricFactory(service=service)
        charges = shown(change(call, charges=[{"id": charge["lago_id"]}, standard(other)]))["charges"]
        assert charges[0] == charge
        assert is_now(ChargeVersion.objects.get(charge__metric=other).effective_from)

    @pytest.mark.parametrize("is_in_use", [True, False])
    def test_one_that_is_left_out_is_removed(self, call, service, metric, is_in_use):
        make(call, standard(metric))
        if is_in_use:
            subscribe(service)
        assert shown(change(call, charges=[]))["charges"] == []
        removed = Charge.objects.get()
        assert is_now(removed.deleted_at) if is_in_use else removed.deleted_at == BEGINNING
        assert AuditRecord.objects.get(action="charge.remove").object_id == str(removed.public_id)
        assert len(shown(change(call, charges=[standard(metric)]))["charges"]) == 1
        assert Charge.objects.count() == 2

    def test_on_another_metric_it_is_another_charge(self, call, service, metric):
        (charge,) = shown(make(call, standard(metric)))["charges"]
        other = factories.MetricFactory(service=service)
        (changed,) = shown(change(call, charges=[standard(other, id=charge["lago_id"])]))["charges"]
        assert changed["lago_id"] != charge["lago_id"]
        assert Charge.objects.get(metric=metric).deleted_at is not None

    @pytest.mark.parametrize(
        "fields", [{"charge_model": "package"}, {"charge_model": "percentage"}, {"charge_model": "graduated"}]
    )
    def test_another_model_needs_its_prices(self, call, metric, fields):
        filters = [{"values": {"region": ["eu"]}, "properties": {"amount": "1"}}]
        (charge,) = shown(make(call, standard(metric, filters=filters)))["charges"]
        assert "properties" in refused(change(call, charges=[{"id": charge["lago_id"], **fields}]))
        assert ChargeVersion.objects.count() == 1

    @pytest.mark.parametrize("charge_id", ["8a1f6f0e-6c55-4c2e-a1c6-0b6f2f7f1d3a", "none", 5])
    def test_one_that_there_is_not_is_not_found(self, call, metric, charge_id):
        make(call, standard(metric))
        is_refused_with("charge_not_found", change(call, charges=[standard(metric, id=charge_id)]))
        assert Charge.objects.get().deleted_at is None

    @pytest.mark.parametrize(
        ("fields", "details"),
        [
            ({"charge_model": None}, {"charge_model": ["value_is_mandatory"]}),
            ({"billable_metric_id": None}, {"billable_metric_id": ["value_is_mandatory"]}),
            ({"filters": [{"properties": {"amount": "1"}}]}, {"values": ["value_is_mandatory"]}),
        ],
    )
    def test_a_new_one_is_given_whole(self, call, metric, fields, details):
        make(call)
        assert refused(change(call, charges=[standard(metric, **fields)])) == details

    def test_one_charge_is_not_asked_for_twice(self, call, metric):
        (charge,) = shown(make(call, standard(metric)))["charges"]
        twice = [{"id": charge["lago_id"]}] * 2
        assert refused(change(call, charges=twice)) == {"id": ["value_already_exist"]}

    def test_its_metric_meters_as_it_did_once_it_has_gone(self, call, service, metric):
        make(call, standard(metric))
        subscribe(service)
        change(call, charges=[])
        answer = call("PUT", "billable_metrics/api", {"billable_metric": {"aggregation_type": "max_agg"}})
        assert answer.json()["billable_metric"]["aggregation_type"] == "sum_agg"
