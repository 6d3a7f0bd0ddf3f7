"""Alerts over the API: what a service watches of a subscription's usage, in Lago's shapes (Lago: alerts)."""

import pytest
from lago_python_client.models.alert import AlertResponse

from ingest.keys import create_key
from ingest.models import AuditRecord, UsageAlert
from tests import factories
from tests.ingest.api.refusals import refused

pytestmark = pytest.mark.django_db

ALERT = {
    "alert_type": "current_usage_amount",
    "code": "spend",
    "name": "Spend",
    "thresholds": [
        {"code": "notice", "value": 1000},
        {"code": "warn", "value": "5000.5"},
        {"code": "more", "value": 1000, "recurring": True},
    ],
}
UNITS = {"alert_type": "billable_metric_current_usage_units", "code": "units", "billable_metric_code": "api"}
PATH = "subscriptions/s/alerts"


@pytest.fixture(autouse=True)
def subscription(service):
    """What is watched."""
    customer = factories.CustomerFactory(service=service)
    plan = factories.PlanFactory(service=service)
    factories.MetricFactory(service=service, code="api")
    return factories.SubscriptionFactory(customer=customer, plan=plan, external_id="s")


@pytest.fixture
def make(call):
    """Posts an alert, changed as told."""
    return lambda **fields: call("POST", PATH, {"alert": ALERT | fields})


def alert_of(answer):
    assert answer.status_code == 200, answer.json()
    return answer.json()["alert"]


def code_of(answer):
    return answer.status_code, answer.json()["code"]


def test_one_is_answered_whole_listed_changed_and_deleted(call, make, service):
    made = alert_of(make())
    row = UsageAlert.objects.get()
    assert made == {
        "lago_id": str(row.public_id),
        "lago_organization_id": str(service.public_id),
        "subscription_external_id": "s",
        "external_subscription_id": "s",
        "lago_wallet_id": None,
        "wallet_code": None,
        "alert_type": "current_usage_amount",
        "code": "spend",
        "name": "Spend",
        "direction": "increasing",
        "previous_value": "0.0",
        "last_processed_at": None,
        "thresholds": [
            {"code": "notice", "value": "1000.0", "recurring": False},
            {"code": "warn", "value": "5000.5", "recurring": False},
            {"code": "more", "value": "1000.0", "recurring": True},
        ],
        "created_at": made["created_at"],
        "billable_metric": None,
    }
    AlertResponse.parse_obj(made)
    assert alert_of(call("GET", f"{PATH}/spend")) == made
    listed = call("GET", PATH).json()
    assert (listed["alerts"], listed["meta"]["total_count"]) == ([made], 1)
    change = {"code": "cost", "thresholds": [{"value": "7"}], "alert_type": "lifetime_usage_amount"}
    changed = alert_of(call("PUT", f"{PATH}/spend", {"alert": change}))
    assert changed == {
        **made,
        "code": "cost",
        "thresholds": [{"code": None, "value": "7.0", "recurring": False}],
    }
    assert alert_of(call("PUT", f"{PATH}/cost", {"alert": {"name": "", "thresholds": []}}))["name"] is None
    assert alert_of(call("DELETE", f"{PATH}/cost"))["code"] == "cost"
    assert code_of(call("GET", f"{PATH}/cost")) == (404, "alert_not_found")
    actions = AuditRecord.objects.filter(object_id=row.public_id).order_by("pk")
    assert [each.action for each in actions] == [
        "alert.create",
        "alert.change",
        "alert.change",
        "alert.delete",
    ]


def test_one_of_a_metric_names_it(call, make):
    made = alert_of(make(**UNITS))
    assert made["billable_metric"] == call("GET", "billable_metrics/api").json()["billable_metric"]
    answer = call("PUT", f"{PATH}/units", {"alert": {"billable_metric_code": "none"}})
    assert code_of(answer) == (404, "billable_metric_not_found")


def test_several_are_made_or_none(call):
    asked = [ALERT, {**ALERT, **UNITS}]
    answer = call("POST", PATH, {"alerts": asked})
    assert [each["code"] for each in answer.json()["alerts"]] == ["spend", "units"]
    assert call("DELETE", PATH).content == b""
    assert not UsageAlert.objects.filter(deleted_at=None).exists()
    wrong = {**ALERT, "code": "x", "thresholds": []}
    details = refused(call("POST", PATH, {"alerts": [ALERT, wrong]}))
    assert details == {"1": {"params": wrong, "errors": {"thresholds": ["value_is_mandatory"]}}}
    details = refused(call("POST", PATH, {"alerts": [ALERT, ALERT]}))
    assert details["1"]["errors"] == {"code": ["value_already_exist"]}
    assert not UsageAlert.objects.filter(deleted_at=None).exists()
    assert call("POST", PATH, {"alerts": []}).status_code == 400


@pytest.mark.parametrize(
    ("fields", "details"),
    [
        ({"alert_type": None}, {"alert_type": ["value_is_mandatory", "value_is_invalid"]}),
        ({"alert_type": "wallet_balance_amount"}, {"alert_type": ["invalid_type"]}),
        (
            {"alert_type": "billable_metric_lifetime_usage_units"},
            {"alert_type": ["feature_not_available"]},
        ),
        ({"code": None}, {"code": ["value_is_mandatory"]}),
        ({"thresholds": None}, {"thresholds": ["value_is_mandatory"]}),
        ({"thresholds": [{"value": n} for n in range(21)]}, {"thresholds": ["too_many_thresholds"]}),
        ({"thresholds": [{"value": 1}, {"value": "1.0"}]}, {"thresholds": ["duplicate_threshold_values"]}),
        ({"thresholds": [{"code": "a"}]}, {"thresholds:value": ["value_is_mandatory"]}),
        ({"thresholds": [{"value": "many"}]}, {"thresholds:value": ["value_is_invalid"]}),
        ({"thresholds": [{"value": True}]}, {"thresholds:value": ["value_is_invalid"]}),
        ({"thresholds": [{"value": "9" * 26}]}, {"thresholds:value": ["value_is_invalid"]}),
        (
            {"thresholds": [{"value": 0, "recurring": True}]},
            {"thresholds:value": ["recurring_value_is_negative"]},
        ),
        ({"billable_metric_code": "api"}, {"billable_metric": ["value_must_be_blank"]}),
        ({**UNITS, "billable_metric_code": None}, {"billable_metric": ["value_is_mandatory"]}),
    ],
)
def test_what_cannot_be_is_refused_in_lagos_words(make, fields, details):
    assert refused(make(**fields)) == details
    assert not UsageAlert.objects.exists()


def test_a_code_and_a_type_are_there_once_for_a_subscription(call, make):
    alert_of(make())
    assert refused(make(alert_type="lifetime_usage_amount")) == {"code": ["value_already_exist"]}
    assert refused(make(code="other")) == {"base": ["alert_already_exists"]}
    alert_of(make(**UNITS))
    answer = call("PUT", f"{PATH}/units", {"alert": {"code": "spend"}})
    assert refused(answer) == {"code": ["value_already_exist"]}
    assert code_of(make(**{**UNITS, "code": "m", "billable_metric_code": "none"})) == (
        404,
        "billable_metric_not_found",
    )


def test_what_there_is_not_is_not_found_and_nothing_is_another_services(call, make):
    assert code_of(call("GET", "subscriptions/none/alerts")) == (404, "subscription_not_found")
    assert code_of(call("GET", f"{PATH}?subscription_status=terminated")) == (404, "subscription_not_found")
    assert code_of(call("PUT", f"{PATH}/none", {"alert": {}})) == (404, "alert_not_found")
    alert_of(make())
    theirs = create_key(service=factories.ServiceFactory(), name="", actor=None).key
    for method, path in (("GET", ""), ("POST", ""), ("DELETE", ""), ("GET", "/spend"), ("DELETE", "/spend")):
        answer = call(method, PATH + path, {"alert": ALERT}, authorization=f"Bearer {theirs}")
        assert code_of(answer) == (404, "subscription_not_found")
    assert UsageAlert.objects.get().deleted_at is None
