"""Plans over the API: made, read, changed and deleted, each by its own service alone (Lago: plans)."""

import pytest

from ingest.charge_filters import filter_id
from ingest.keys import create_key
from ingest.models import AuditRecord, Charge, ChargeVersion, Plan, PlanVersion
from tests import factories
from tests.ingest.api.refusals import refused

pytestmark = pytest.mark.django_db

PLAN = {
    "name": "Pro",
    "code": "pro",
    "interval": "monthly",
    "amount_cents": 4900,
    "amount_currency": "CAD",
    "pay_in_advance": False,
    "invoice_display_name": "Pro plan",
    "description": "For teams",
    "trial_period": 14,
}
CODES = {
    "plan_not_found": 404,
    "plan_in_use": 405,
    "billable_metrics_not_found": 404,
    "charge_not_found": 404,
}


@pytest.fixture
def metric(service):
    """What the charges price."""
    return factories.MetricFactory(service=service, code="api", filters={"region": ["eu", "us"]})


def make(call, *charges, **fields):
    return call("POST", "plans", {"plan": PLAN | fields | ({"charges": list(charges)} if charges else {})})


def change(call, plan="pro", /, **fields):
    return call("PUT", f"plans/{plan}", {"plan": fields})


def standard(metric, amount="0.05", **fields):
    return {
        "billable_metric_id": str(metric.public_id),
        "charge_model": "standard",
        "properties": {"amount": amount},
    } | fields


def shown(answer):
    assert answer.status_code == 200, answer.json()
    return answer.json()["plan"]


def is_refused_with(code, answer):
    assert (answer.status_code, answer.json().get("code")) == (CODES[code], code)


class TestMade:
    def test_a_plan_is_created_and_answered_whole(self, call, service):
        plan = shown(make(call, minimum_commitment={"amount_cents": "10000"}))
        assert {name: plan[name] for name in PLAN} == PLAN
        row = Plan.objects.get(service=service)
        version = row.versions.get()
        assert (plan["lago_id"], row.currency, row.interval) == (str(row.public_id), "CAD", "monthly")
        assert (version.amount, version.minimum_commitment, version.trial_days) == (49, 100, 14)
        assert plan["minimum_commitment"].items() >= {"amount_cents": 10000, "interval": "monthly"}.items()
        assert (plan["charges"], plan["usage_thresholds"], plan["taxes"]) == ([], [], [])
        record = AuditRecord.objects.get(action="plan.create")
        assert record.actor_label.startswith("API key bc_")
        assert AuditRecord.objects.get(action="plan.price").actor_label == record.actor_label

    @pytest.mark.parametrize(
        ("currency", "amount"), [("CAD", "49.00"), ("JPY", "4900"), ("KWD", "4.900"), ("CLF", "0.4900")]
    )
    def test_cents_are_the_currencys_own_minor_units(self, call, metric, currency, amount):
        plan = shown(make(call, standard(metric, min_amount_cents=4900), amount_currency=currency))
        assert str(PlanVersion.objects.get().amount) == amount
        assert str(ChargeVersion.objects.get().min_amount) == amount
        assert (plan["amount_cents"], plan["charges"][0]["min_amount_cents"]) == (4900, 4900)

    def test_its_charges_come_with_it(self, call, metric):
        charge = standard(
            metric,
            code="calls",
            invoice_display_name="Calls",
            min_amount_cents=500,
            filters=[
                {"values": {"region": ["eu"]}, "properties": {"amount": "0.01"}, "invoice_display_name": "EU"}
            ],
        )
        (answer,) = shown(make(call, charge))["charges"]
        row = Charge.objects.get()
        assert answer == {
            "lago_id": str(row.public_id),
            "lago_billable_metric_id": str(metric.public_id),
            "billable_metric_code": "api",
            "code": "calls",
            "created_at": answer["created_at"],
            "charge_model": "standard",
            "invoiceable": True,
            "regroup_paid_fees": None,
            "pay_in_advance": False,
            "prorated": False,
            "min_amount_cents": 500,
            "invoice_display_name": "Calls",
            "properties": {"amount": "0.05"},
            "filters": [
                {
                    **charge["filters"][0],
                    "lago_id": str(filter_id(row, {"region": ["eu"]})),
                    "charge_code": "calls",
                }
            ],
            "applied_pricing_unit": None,
            "accepts_target_wallet": False,
            "lago_parent_id": None,
            "taxes": [],
        }
        assert {record.action for record in AuditRecord.objects.filter(object_id=row.public_id)} == {
            "charge.add",
            "charge.price",
        }

    def test_charges_on_one_metric_have_codes_of_their_own(self, call, metric):
        charges = shown(make(call, standard(metric), standard(metric), standard(metric)))["charges"]
        assert [charge["code"] for charge in charges] == ["api", "api_2", "api_3"]

    def test_a_code_is_taken_once(self, call):
        make(call)
        assert refused(make(call)) == {"code": ["value_already_exist"]}
        assert Plan.objects.count() == 1

    def test_what_one_charge_cannot_be_leaves_nothing_of_the_plan(self, call, metric):
        assert make(call, standard(metric), standard(metric, "cheap")).status_code == 422
        for model in (Plan, PlanVersion, Charge, ChargeVersion):
            assert not model.objects.exists()

    def test_it_may_be_sent_with_its_nulls(self, call, metric):
        nulls = dict.fromkeys(("usage_thresholds", "fixed_charges", "tax_codes", "minimum_commitment"))
        assert (
            make(call, standard(metric, applied_pricing_unit=None, filters=None), **nulls).status_code == 200
        )


@pytest.mark.parametrize(
    ("fields", "details"),
    [
        ({"code": None}, {"code": ["value_is_mandatory"]}),
        ({"name": "n" * 256}, {"name": ["value_is_too_long"]}),
        ({"interval": "daily"}, {"interval": ["value_is_invalid"]}),
        ({"amount_cents": None}, {"amount_cents": ["value_is_mandatory"]}),
        ({"amount_cents": -1}, {"amount_cents": ["value_is_out_of_range"]}),
        ({"amount_cents": "12.5"}, {"amount_cents": ["value_is_invalid"]}),
        ({"amount_cents": 10**400}, {"amount_cents": ["value_is_out_of_range"]}),
        ({"amount_currency": "cad"}, {"amount_currency": ["value_is_invalid"]}),
        ({"amount_currency": "CAD\n"}, {"amount_currency": ["value_is_invalid"]}),
        ({"pay_in_advance": None}, {"pay_in_advance": ["value_is_mandatory"]}),
        ({"trial_period": 7.5}, {"trial_period": ["value_is_invalid"]}),
        ({"trial_period": 10**9}, {"trial_period": ["value_is_out_of_range"]}),
        ({"minimum_commitment": {"amount_cents": -1}}, {"amount_cents": ["value_is_out_of_range"]}),
        ({"minimum_commitment": 5}, {"minimum_commitment": ["value_is_invalid"]}),
        ({"charges": {"a": 1}}, {"charges": ["value_is_invalid"]}),
        ({"charges": [5]}, {"charges": ["value_is_invalid"]}),
        ({"charges": [{}] * 501}, {"charges": ["value_is_too_long"]}),
        (
            {"charges": [{"filters": [{"values": {"region": ["eu"] * 10_000}}]}]},
            {"charges": ["exceeded_limit"]},
        ),
        ({"usage_thresholds": [{"amount_cents": 1}]}, {"usage_thresholds": ["feature_unavailable"]}),
        ({"fixed_charges": [{"units": 1}]}, {"fixed_charges": ["feature_unavailable"]}),
        (
            {"interval": "yearly", "bill_charges_monthly": True},
            {"bill_charges_monthly": ["feature_unavailable"]},
        ),
    ],
)
def test_what_a_plan_cannot_be_is_refused_at_its_field(call, fields, details):
    assert refused(make(call, **fields)) == details
    assert not Plan.objects.exists()


RANGES = [
    {"from_value": 0, "to_value": 10, "per_unit_amount": "1", "flat_amount": "0"},
    {"from_value": 12, "to_value": None, "per_unit_amount": "1", "flat_amount": "0"},
]


@pytest.mark.parametrize(
    ("fields", "details"),
    [
        ({"charge_model": "custom"}, {"charge_model": ["feature_unavailable"]}),
        ({"charge_model": "free"}, {"charge_model": ["value_is_invalid"]}),
        ({"charge_model": None}, {"charge_model": ["value_is_mandatory"]}),
        ({"billable_metric_id": None}, {"billable_metric_id": ["value_is_mandatory"]}),
        ({"invoiceable": False}, {"invoiceable": ["feature_unavailable"]}),
        ({"regroup_paid_fees": "invoice"}, {"regroup_paid_fees": ["feature_unavailable"]}),
        ({"accepts_target_wallet": True}, {"accepts_target_wallet": ["feature_unavailable"]}),
        ({"applied_pricing_unit": {"code": "c"}}, {"applied_pricing_unit": ["feature_unavailable"]}),
        ({"properties": {"amount": "cheap"}}, {"properties": ["invalid_amount"]}),
        ({"properties": {"amount": "1e400"}}, {"properties": ["invalid_amount"]}),
        ({"properties": {"amount": None}}, {"properties": ["invalid_amount"]}),
        ({"properties": "free"}, {"properties": ["value_is_invalid"]}),
        ({"properties": {"amount": "1", "pricing_group_keys": "k"}}, {"properties": ["value_is_invalid"]}),
        ({"properties": {"amount": "1", "grouped_by": ["a\x00"]}}, {"properties": ["value_is_invalid"]}),
        ({"charge_model": "graduated"}, {"properties": ["missing_graduated_ranges"]}),
        (
            {"charge_model": "graduated", "properties": {"graduated_ranges": RANGES}},
            {"properties": ["invalid_graduated_ranges"]},
        ),
        (
            {"charge_model": "graduated", "properties": {"graduated_ranges": [{"from_value": "x"}]}},
            {"properties": ["invalid_graduated_ranges", "invalid_amount"]},
        ),
        ({"charge_model": "volume"}, {"properties": ["missing_volume_ranges"]}),
        (
            {"charge_model": "volume", "properties": {"volume_ranges": RANGES}},
            {"properties": ["invalid_volume_ranges"]},
        ),
        (
            {"charge_model": "package", "properties": {"amount": "1", "package_size": 0, "free_units": -1}},
            {"properties": ["invalid_package_size", "invalid_free_units"]},
        ),
        ({"charge_model": "percentage"}, {"properties": ["invalid_rate"]}),
        (
            {"charge_model": "dynamic", "prorated": True},
            {"prorated": ["invalid_billable_metric_or_charge_model"]},
        ),
        (
            {"pay_in_advance": True, "min_amount_cents": 5},
            {"min_amount_cents": ["not_compatible_with_pay_in_advance"]},
        ),
        ({"filters": [{"properties": {"amount": "1"}}]}, {"values": ["value_is_mandatory"]}),
        ({"filters": [{"values": {}}]}, {"values": ["value_is_mandatory"]}),
        ({"filters": [{"values": {"region": "eu"}}]}, {"values": ["value_is_invalid"]}),
        ({"filters": [{"values": {"region": ["mars"]}}]}, {"values": ["value_is_invalid"]}),
        (
            {"filters": [{"values": {"region": ["eu"]}, "properties": {"amount": "x"}}]},
            {"properties": ["invalid_amount"]},
        ),
    ],
)
def test_what_a_charge_cannot_be_is_refused_in_lagos_words(call, metric, fields, details):
    assert refused(make(call, standard(metric, **fields))) == details
    assert not Plan.objects.exists()


def test_two_charges_have_not_the_same_code(call, metric):
    charges = [standard(metric, code="a"), standard(metric, code="a")]
    assert refused(make(call, *charges)) == {"code": ["value_already_exist"]}


@pytest.mark.parametrize("metric_id", ["8a1f6f0e-6c55-4c2e-a1c6-0b6f2f7f1d3a", "none", "m" * 200, "5"])
def test_a_metric_that_there_is_not_is_not_found(call, metric, metric_id):
    is_refused_with("billable_metrics_not_found", make(call, standard(metric, billable_metric_id=metric_id)))
    assert not Plan.objects.exists()


class TestProperties:
    @pytest.mark.parametrize(
        ("model", "given", "kept"),
        [
            ("standard", {"amount": 5, "package_size": 3, "junk": {}}, {"amount": "5"}),
            ("package", {"amount": "1", "package_size": "10"}, {"amount": "1", "package_size": 10}),
            (
                "volume",
                {"volume_ranges": [{"from_value": 0, "per_unit_amount": 1, "flat_amount": 0.5}]},
                {
                    "volume_ranges": [
                        {"from_value": 0, "to_value": None, "per_unit_amount": "1", "flat_amount": "0.5"}
                    ]
                },
            ),
            ("dynamic", {"amount": "1"}, {}),
            ("standard", None, {"amount": "0"}),
            ("percentage", None, {"rate": "0"}),
        ],
    )
    def test_they_are_kept_in_one_spelling(self, call, metric, model, given, kept):
        (charge,) = shown(make(call, standard(metric, charge_model=model, properties=given)))["charges"]
        assert charge["properties"] == ChargeVersion.objects.get().properties == kept

    @pytest.mark.parametrize("name", ["pricing_group_keys", "grouped_by"])
    def test_groups_have_two_names(self, call, metric, name):
        properties = {"amount": "1", name: ["team"]}
        (charge,) = shown(make(call, standard(metric, properties=properties)))["charges"]
        assert charge["properties"] == {"amount": "1", "pricing_group_keys": ["team"], "grouped_by": ["team"]}

    def test_beside_filters_the_rest_may_cost_nothing(self, call, metric):
        filters = [{"values": {"region": ["eu"]}, "properties": {"amount": "1"}}]
        (charge,) = shown(make(call, standard(metric, properties={}, filters=filters)))["charges"]
        assert charge["properties"] == {"amount": "0"}


class TestRead:
    def test_a_list_has_pages(self, call, service):
        factories.PlanFactory.create_batch(3, service=service)
        answer = call("GET", "plans?page=2&per_page=2").json()
        assert len(answer["plans"]) == 1
        assert (answer["meta"]["total_count"], answer["meta"]["prev_page"]) == (3, 1)

    def test_a_list_takes_as_many_queries_for_many_plans(
        self, call, service, metric, django_assert_max_num_queries
    ):
        for _ in range(5):
            plan = factories.PlanFactory(service=service)
            factories.ChargeFactory.create_batch(3, plan=plan, metric=metric)
        with django_assert_max_num_queries(9):
            assert len(call("GET", "plans").json()["plans"]) == 5

    def test_a_code_in_the_address_may_hold_anything(self, call, service):
        factories.PlanFactory(service=service, code="a/b c.d%é")
        assert call("GET", "plans/a%2Fb%20c.d%25%C3%A9").status_code == 200
        assert call("GET", "plans/a%00b").status_code == 400
        is_refused_with("plan_not_found", call("GET", "plans/" + "x" * 10_000))


class TestAnotherServices:
    @pytest.fixture
    def theirs(self):
        """A plan of another service, with a charge."""
        return factories.ChargeFactory(plan=factories.PlanFactory(code="theirs")).plan

    def test_plan_does_not_exist(self, call, theirs):
        for answer in (
            call("GET", "plans/theirs"),
            change(call, "theirs", name="Mine"),
            call("DELETE", "plans/theirs"),
        ):
            is_refused_with("plan_not_found", answer)
        assert call("GET", "plans").json()["plans"] == []
        assert make(call, code="theirs").status_code == 200
        theirs.refresh_from_db()
        assert (theirs.name, theirs.deleted_at, theirs.versions.count()) == (theirs.name, None, 1)

    def test_metric_cannot_be_priced(self, call, metric, theirs):
        other = theirs.charges.get().metric
        is_refused_with("billable_metrics_not_found", make(call, standard(other)))

    def test_charge_cannot_be_named(self, call, metric, theirs):
        make(call)
        charge = standard(metric, id=str(theirs.charges.get().public_id))
        is_refused_with("charge_not_found", change(call, charges=[charge]))
        assert Charge.objects.get().plan == theirs

    def test_key_sees_its_own(self, call, theirs):
        key = create_key(service=theirs.service, name="theirs", actor=None).key
        headers = {"authorization": f"Bearer {key}"}
        assert len(call("GET", "plans", **headers).json()["plans"]) == 1


FEBRUARY, MARCH = (factories.SEEN_AT.replace(month=month) for month in (2, 3))


class TestDeleted:
    def test_it_is_gone_and_its_code_free(self, call, metric):
        make(call, standard(metric))
        assert shown(call("DELETE", "plans/pro"))["code"] == "pro"
        for method in ("GET", "DELETE"):
            is_refused_with("plan_not_found", call(method, "plans/pro"))
        is_refused_with("plan_not_found", change(call, name="x"))
        assert make(call).status_code == 200
        assert Plan.objects.count() == 2
        assert AuditRecord.objects.filter(action="plan.delete").count() == 1

    @pytest.mark.parametrize("ends", [{}, {"terminated_at": factories.SEEN_AT.replace(year=2100)}])
    def test_it_is_not_while_a_subscription_runs(self, call, service, ends):
        make(call)
        customer = factories.CustomerFactory(service=service)
        factories.SubscriptionFactory(plan=Plan.objects.get(), customer=customer, **ends)
        is_refused_with("plan_in_use", call("DELETE", "plans/pro"))
        assert Plan.objects.get().deleted_at is None
        assert not AuditRecord.objects.filter(action="plan.delete").exists()

    @pytest.mark.parametrize(
        "ended", [{"terminated_at": FEBRUARY}, {"canceled_at": FEBRUARY, "started_at": MARCH}]
    )
    def test_it_is_once_they_have_ended(self, call, service, ended):
        make(call)
        customer = factories.CustomerFactory(service=service)
        factories.SubscriptionFactory(plan=Plan.objects.get(), customer=customer, **ended)
        assert call("DELETE", "plans/pro").status_code == 200

    def test_its_metric_is_free(self, call, metric):
        make(call, standard(metric))
        assert call("DELETE", "billable_metrics/api").json()["code"] == "billable_metric_in_use"
        call("DELETE", "plans/pro")
        assert call("DELETE", "billable_metrics/api").status_code == 200
