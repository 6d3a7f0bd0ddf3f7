"""One charge, one filter and one note of a plan at a time, each by its own service alone (Lago: plans, charges)."""

import pytest

from ingest.keys import create_key
from ingest.models import AuditRecord, Charge, ChargeVersion, Plan
from tests import factories
from tests.ingest.api.refusals import refused
from tests.ingest.api.test_plan_changes import is_now, subscribe
from tests.ingest.api.test_plans import make, standard

pytestmark = pytest.mark.django_db

AMOUNT = {"amount": "9"}


@pytest.fixture
def metric(service):
    """What the charges price."""
    return factories.MetricFactory(service=service, code="api", filters={"region": ["eu", "us"]})


@pytest.fixture
def plan(call, metric):
    """A plan with one charge, `api`."""
    make(call, standard(metric))
    return Plan.objects.get()


@pytest.fixture
def others(call):
    """Calls as another service does."""
    key = create_key(service=factories.ServiceFactory(), name="", actor=None).key
    return lambda *request: call(*request, authorization=f"Bearer {key}")


def charge_of(answer):
    assert answer.status_code == 200, answer.json()
    return answer.json()["charge"]


def filter_of(answer):
    assert answer.status_code == 200, answer.json()
    return answer.json()["filter"]


def code_of(answer):
    return answer.status_code, answer.json()["code"]


class TestCharges:
    def test_they_are_listed_the_newest_first_as_the_plan_tells_them(self, call, plan, metric):
        added = charge_of(call("POST", "plans/pro/charges", {"charge": standard(metric, code="more")}))
        listed = call("GET", "plans/pro/charges").json()
        told = call("GET", "plans/pro").json()["plan"]["charges"]
        assert listed["charges"] == [added, told[0]] == told[::-1]
        assert listed["meta"]["total_count"] == 2
        assert charge_of(call("GET", "plans/pro/charges/more")) == added
        assert AuditRecord.objects.filter(action="charge.add").count() == 2

    def test_one_more_leaves_the_others_and_prices_a_plan_in_use_from_now_on(
        self, call, plan, metric, service
    ):
        subscribe(service)
        added = charge_of(call("POST", "plans/pro/charges", {"charge": standard(metric, "1")}))
        assert added["code"] == "api_2"
        first, second = ChargeVersion.objects.order_by("pk")
        assert first.properties == {"amount": "0.05"}
        assert is_now(second.effective_from)

    def test_it_changes_by_what_is_given(self, call, plan, metric):
        change = {"invoice_display_name": "Calls", "properties": {"amount": "2"}, "code": "calls"}
        changed = charge_of(call("PUT", "plans/pro/charges/api", {"charge": change}))
        assert (changed["code"], changed["invoice_display_name"]) == ("calls", "Calls")
        assert (changed["properties"], changed["charge_model"]) == ({"amount": "2"}, "standard")
        assert code_of(call("GET", "plans/pro/charges/api")) == (404, "charge_not_found")

    def test_removed_it_is_gone_and_the_others_stay(self, call, plan, metric):
        call("POST", "plans/pro/charges", {"charge": standard(metric, code="more")})
        assert charge_of(call("DELETE", "plans/pro/charges/api"))["code"] == "api"
        assert [each["code"] for each in call("GET", "plans/pro/charges").json()["charges"]] == ["more"]
        assert code_of(call("DELETE", "plans/pro/charges/api")) == (404, "charge_not_found")
        assert AuditRecord.objects.filter(action="charge.remove").count() == 1

    def test_what_cannot_be_is_refused_and_changes_nothing(self, call, plan, metric):
        def post(charge):
            return call("POST", "plans/pro/charges", {"charge": charge})

        for unknown in (None, "x", "00000000-0000-0000-0000-000000000000"):
            answer = post({**standard(metric), "billable_metric_id": unknown})
            assert code_of(answer) == (404, "billable_metric_not_found")
        assert refused(post(standard(metric, code="api"))) == {"code": ["value_already_exist"]}
        assert refused(post(standard(metric, "x"))) == {"properties": ["invalid_amount"]}
        assert refused(post(standard(metric, charge_model=None))) == {"charge_model": ["value_is_mandatory"]}
        post(standard(metric, code="more"))
        answer = call("PUT", "plans/pro/charges/more", {"charge": {"code": "api"}})
        assert refused(answer) == {"code": ["value_already_exist"]}
        assert set(Charge.objects.values_list("code", flat=True)) == {"api", "more"}

    @pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
    def test_another_services_plan_is_none(self, others, plan, metric, method):
        path = "plans/pro/charges" + ("" if method == "POST" else "/api")
        assert code_of(others(method, path, {"charge": standard(metric)})) == (404, "plan_not_found")
        assert Charge.objects.get().deleted_at is None


class TestFilters:
    def test_one_is_added_changed_and_removed(self, call, plan):
        path = "plans/pro/charges/api/filters"
        asked = {"values": {"region": ["eu"]}, "properties": AMOUNT, "invoice_display_name": "EU"}
        made = filter_of(call("POST", path, {"filter": asked}))
        assert made == {**asked, "charge_code": "api", "lago_id": made["lago_id"]}
        assert call("GET", path).json()["filters"] == [made]
        assert call("GET", "plans/pro").json()["plan"]["charges"][0]["filters"] == [made]
        one = f"{path}/{made['lago_id']}"
        assert filter_of(call("GET", one)) == made
        changed = filter_of(call("PUT", one, {"filter": {"properties": {"amount": "7"}}}))
        assert changed == {**made, "properties": {"amount": "7"}}
        assert filter_of(call("DELETE", one)) == changed
        assert call("GET", path).json()["filters"] == []
        assert code_of(call("DELETE", one)) == (404, "charge_filter_not_found")

    @pytest.mark.parametrize(
        ("fields", "details"),
        [
            ({"properties": AMOUNT}, {"values": ["value_is_mandatory"]}),
            ({"properties": AMOUNT, "values": {"region": ["mars"]}}, {"values": ["value_is_invalid"]}),
            ({"properties": AMOUNT, "values": {"region": ["us"]}}, {"values": ["value_already_exist"]}),
            (
                {"properties": {"amount": "x"}, "values": {"region": ["eu"]}},
                {"properties": ["invalid_amount"]},
            ),
        ],
    )
    def test_what_cannot_be_is_refused(self, call, plan, fields, details):
        path = "plans/pro/charges/api/filters"
        filter_of(call("POST", path, {"filter": {"values": {"region": ["us"]}, "properties": AMOUNT}}))
        assert refused(call("POST", path, {"filter": fields})) == details
        assert len(call("GET", path).json()["filters"]) == 1

    def test_what_there_is_not_is_not_found(self, call, others, plan):
        for path, code in (
            ("plans/none/charges/api/filters", "plan_not_found"),
            ("plans/pro/charges/none/filters", "charge_not_found"),
            ("plans/pro/charges/api/filters/none", "charge_filter_not_found"),
            ("plans/pro/charges/api/filters/00000000-0000-0000-0000-000000000000", "charge_filter_not_found"),
        ):
            assert code_of(call("GET", path)) == (404, code)
        answer = others("POST", "plans/pro/charges/api/filters", {"filter": {"values": {"region": ["eu"]}}})
        assert code_of(answer) == (404, "plan_not_found")


class TestMetadata:
    def test_it_is_replaced_merged_and_taken_away(self, call, plan):
        def write(method, path="", **body):
            answer = call(method, f"plans/pro/metadata{path}", body)
            return answer.json()["metadata"] if answer.status_code == 200 else code_of(answer)

        assert write("DELETE", "/a") == (404, "metadata_not_found")
        assert write("POST") is None
        assert write("POST", metadata={"a": "1", "b": None}) == {"a": "1", "b": None}
        assert write("PATCH", metadata={"b": "2", "c": "3"}) == {"a": "1", "b": "2", "c": "3"}
        assert write("PATCH") == write("POST") == {"a": "1", "b": "2", "c": "3"}
        assert write("DELETE", "/a") == write("DELETE", "/none") == {"b": "2", "c": "3"}
        assert call("GET", "plans/pro").json()["plan"]["metadata"] == {"b": "2", "c": "3"}
        call("PUT", "plans/pro", {"plan": {"metadata": {"d": "4"}}})
        assert Plan.objects.get().metadata == {"d": "4"}
        assert write("POST", metadata={}) == {}
        assert write("DELETE") is None
        assert AuditRecord.objects.filter(action="plan.change").count() == 6

    @pytest.mark.parametrize(
        "metadata", ["x", ["x"], {"a": 1}, {"a": "\x00"}, {"a": "x" * 256}, {"k" * 101: "x"}, 5]
    )
    def test_what_is_no_text_is_refused(self, call, plan, metadata):
        for method in ("POST", "PATCH"):
            assert refused(call(method, "plans/pro/metadata", {"metadata": metadata})).keys() == {"metadata"}
        assert Plan.objects.get().metadata is None

    def test_there_are_at_most_fifty(self, call, plan):
        many = {str(number): "" for number in range(50)}
        assert call("POST", "plans/pro/metadata", {"metadata": many}).status_code == 200
        answer = call("PATCH", "plans/pro/metadata", {"metadata": {"more": ""}})
        assert refused(answer) == {"metadata": ["value_is_invalid"]}

    def test_another_services_plan_is_none(self, others, plan):
        for method, path in (("POST", ""), ("PATCH", ""), ("DELETE", ""), ("DELETE", "/a")):
            answer = others(method, f"plans/pro/metadata{path}", {"metadata": {"a": "1"}})
            assert code_of(answer) == (404, "plan_not_found")


def test_a_commitment_keeps_its_name(call):
    make(call, minimum_commitment={"amount_cents": 500, "invoice_display_name": "At least"})
    assert call("GET", "plans/pro").json()["plan"]["minimum_commitment"]["invoice_display_name"] == "At least"


def test_a_subscription_has_its_plans_charges_and_none_that_are_fixed(call, others, plan, service):
    external_id = subscribe(service).external_id
    call(
        "POST",
        "plans/pro/charges/api/filters",
        {"filter": {"values": {"region": ["eu"]}, "properties": AMOUNT}},
    )
    (listed,) = call("GET", f"subscriptions/{external_id}/charges").json()["charges"]
    path = f"subscriptions/{external_id}/charges/api"
    assert charge_of(call("GET", path)) == listed == charge_of(call("GET", "plans/pro/charges/api"))
    (filtered,) = call("GET", f"{path}/filters").json()["filters"]
    assert filter_of(call("GET", f"{path}/filters/{filtered['lago_id']}")) == filtered
    for fixed in (f"subscriptions/{external_id}/fixed_charges", "plans/pro/fixed_charges"):
        assert call("GET", fixed).json()["fixed_charges"] == []
        assert code_of(call("GET", f"{fixed}/x")) == (404, "fixed_charge_not_found")
        assert code_of(others("GET", fixed))[0] == 404
    assert code_of(call("PUT", path, {"charge": {}})) == (405, "method_not_allowed")
    assert code_of(call("GET", f"subscriptions/{external_id}/charges/none")) == (404, "charge_not_found")
    assert code_of(others("GET", path)) == (404, "subscription_not_found")
