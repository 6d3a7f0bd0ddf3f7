"""Subscriptions over the API: begun, upgraded and downgraded (Lago: subscriptions)."""

from datetime import UTC, datetime, timedelta

import pytest
from lago_python_client.models.subscription import SubscriptionResponse

from ingest.models import AuditRecord, Customer, Subscription
from tests import factories
from tests.ingest.api.refusals import refused
from tests.ingest.api.subscribing import NOW, gone, shown
from tests.repricing import reprice_plan

pytestmark = pytest.mark.django_db


class TestBeginning:
    def test_it_is_answered_whole_and_its_customer_is_made(self, subscribe, call):
        found = shown(subscribe(name="Main"))
        row, customer = Subscription.objects.get(), Customer.objects.get()
        assert found == {
            "plan": call("GET", "plans/pro").json()["plan"],
            "lago_id": str(row.public_id),
            "external_id": "s",
            "lago_customer_id": str(customer.public_id),
            "external_customer_id": "acme",
            "name": "Main",
            "plan_code": "pro",
            "plan_amount_cents": 5000,
            "plan_amount_currency": "CAD",
            "status": "active",
            "billing_time": "calendar",
            "subscription_at": "2026-10-20T12:00:00Z",
            "started_at": "2026-10-20T12:00:00.250Z",
            "trial_ended_at": None,
            "ending_at": None,
            "terminated_at": None,
            "canceled_at": None,
            "created_at": "2026-10-20T12:00:00Z",
            "previous_plan_code": None,
            "next_plan_code": None,
            "downgrade_plan_date": None,
            "current_billing_period_started_at": "2026-10-20T12:00:00Z",
            "current_billing_period_ending_at": "2026-10-31T23:59:59Z",
            "on_termination_credit_note": None,
            "on_termination_invoice": "generate",
            "progressive_billing_disabled": False,
            "consolidate_invoice": True,
            "purchase_order_number": None,
            "billing_entity_code": None,
            "cancellation_reason": None,
            "activated_at": "2026-10-20T12:00:00Z",
            "payment_method": {"payment_method_id": None, "payment_method_type": None},
            "activation_rules": [],
            "entitlements": [],
            "applicable_usage_thresholds": [],
            "applied_invoice_custom_sections": [],
        }
        assert (customer.external_id, customer.currency) == ("acme", "CAD")
        assert shown(call("GET", "subscriptions/s")) == found
        assert SubscriptionResponse.parse_obj(found).lago_id == str(row.public_id)
        actions = set(AuditRecord.objects.values_list("action", flat=True))
        assert actions == {"api_key.create", "customer.create", "subscription.begin"}

    def test_posted_again_it_is_the_same_one(self, subscribe):
        first = shown(subscribe())
        before = AuditRecord.objects.count()
        assert shown(subscribe()) == first
        assert (Subscription.objects.count(), AuditRecord.objects.count()) == (1, before)

    @pytest.mark.parametrize(
        ("fields", "details"),
        [
            ({"external_customer_id": None}, {"external_customer_id": ["value_is_mandatory"]}),
            ({"external_id": None}, {"external_id": ["value_is_mandatory"]}),
            ({"external_id": "x" * 10_000}, {"external_id": ["value_is_too_long"]}),
            ({"external_id": "a\x00"}, {"external_id": ["value_is_invalid"]}),
            ({"billing_time": "lunar"}, {"billing_time": ["value_is_invalid"]}),
            ({"subscription_at": "soon"}, {"subscription_at": ["invalid_date"]}),
            ({"subscription_at": "0001-01-01"}, {"subscription_at": ["invalid_date"]}),
            ({"subscription_at": "9999-12-31T23:59:59-12:00"}, {"subscription_at": ["invalid_date"]}),
            ({"ending_at": "2026-10-20T11:59:59Z"}, {"ending_at": ["invalid_date"]}),
            ({"ending_at": "never"}, {"ending_at": ["invalid_date"]}),
            (
                {"subscription_at": "2026-12-01", "ending_at": "2026-12-01T00:00:00Z"},
                {"ending_at": ["invalid_date"]},
            ),
            ({"on_termination_invoice": "maybe"}, {"on_termination_invoice": ["value_is_invalid"]}),
        ],
    )
    def test_what_it_cannot_be_is_refused_at_its_field(self, subscribe, fields, details):
        assert refused(subscribe(**fields)) == details
        assert not Subscription.objects.exists()
        assert not Customer.objects.exists()

    @pytest.mark.parametrize("code", ["nothing", None, "", "deleted", "theirs"])
    def test_without_a_plan_there_is_none_and_no_customer_either(self, service, subscribe, code):
        factories.PlanFactory(service=service, code="deleted", deleted_at=NOW)
        factories.PlanFactory(code="theirs")
        answer = subscribe(code)
        assert (answer.status_code, answer.json()["code"]) == (404, "plan_not_found")
        assert not Customer.objects.exists()

    @pytest.mark.parametrize("name", ["plan_overrides", "usage_thresholds", "activation_rules"])
    def test_a_feature_that_there_is_not_is_said_to_be_missing(self, subscribe, name):
        value = {"amount_cents": 1} if name == "plan_overrides" else [{"amount_cents": 1}]
        answer = subscribe(**{name: value})
        assert (answer.status_code, answer.json()["code"]) == (403, "feature_unavailable")
        assert not Subscription.objects.exists()
        shown(subscribe(**{name: type(value)()}))

    def test_what_has_no_column_is_echoed(self, subscribe):
        given = {
            "on_termination_credit_note": "skip",
            "on_termination_invoice": "skip",
            "progressive_billing_disabled": True,
            "consolidate_invoice": False,
            "purchase_order_number": "PO-1",
            "billing_entity_code": "eu",
            "payment_method": {"payment_method_type": "manual", "payment_method_id": "pm"},
        }
        found = shown(subscribe(**given))
        assert {name: found[name] for name in given} == given

    def test_in_the_past_it_has_begun_already(self, subscribe):
        found = shown(subscribe(subscription_at="2026-09-10T08:30:00+02:00", billing_time="anniversary"))
        assert (found["status"], found["started_at"]) == ("active", "2026-09-10T06:30:00.000Z")
        assert found["current_billing_period_started_at"] == "2026-10-10T00:00:00Z"
        assert found["current_billing_period_ending_at"] == "2026-11-09T23:59:59Z"

    def test_in_the_future_it_is_pending_and_begins_by_itself(self, subscribe, call, clock):
        found = shown(subscribe(subscription_at="2026-11-05"))
        assert (found["status"], found["started_at"], found["activated_at"]) == ("pending", None, None)
        assert found["current_billing_period_started_at"] == "2026-11-05T00:00:00Z"
        assert gone(call("GET", "subscriptions/s"))
        assert shown(call("GET", "subscriptions/s?status=pending"))["lago_id"] == found["lago_id"]
        clock.move_to(datetime(2026, 11, 5, tzinfo=UTC))
        assert shown(call("GET", "subscriptions/s"))["started_at"] == "2026-11-05T00:00:00.000Z"

    def test_it_ends_by_itself_when_it_was_agreed_to(self, subscribe, call, clock):
        found = shown(subscribe(ending_at="2026-12-01T00:00:00Z"))
        assert (found["ending_at"], found["terminated_at"]) == ("2026-12-01T00:00:00Z", None)
        clock.move_to(datetime(2026, 12, 1, tzinfo=UTC))
        assert gone(call("GET", "subscriptions/s"))
        over = shown(call("GET", "subscriptions/s?status=terminated"))
        assert (over["status"], over["terminated_at"]) == ("terminated", "2026-12-01T00:00:00Z")

    def test_an_id_that_another_customer_uses_is_taken(self, subscribe, call, clock):
        shown(subscribe())
        shown(subscribe(external_id="later", subscription_at="2027-01-01"))
        for external_id in ("s", "later"):
            answer = subscribe(customer="other", external_id=external_id)
            assert refused(answer) == {"external_id": ["value_already_exist"]}
        assert not Customer.objects.filter(external_id="other").exists()
        clock.shift(1)
        call("DELETE", "subscriptions/s")
        assert shown(subscribe(customer="other"))["external_customer_id"] == "other"

    def test_a_start_at_which_an_earlier_one_ran_is_taken(self, subscribe, call, clock):
        shown(subscribe())
        clock.shift(1)
        call("DELETE", "subscriptions/s")
        assert refused(subscribe(subscription_at="2026-10-01")) == {"subscription_at": ["invalid_date"]}

    def test_one_currency_for_one_customer(self, service, subscribe):
        factories.PlanFactory(service=service, code="euro", currency="EUR")
        shown(subscribe())
        for external_id in ("s", "other"):
            answer = subscribe("euro", external_id=external_id)
            assert refused(answer) == {"currency": ["currencies_does_not_match"]}

    def test_a_deleted_customer_is_restored(self, subscribe, call, clock):
        first = shown(subscribe())
        clock.shift(1)
        call("DELETE", "customers/acme")
        again = shown(subscribe())
        assert again["lago_customer_id"] == first["lago_customer_id"]
        assert again["lago_id"] != first["lago_id"]

    def test_the_amount_is_the_one_in_force(self, service, subscribe, call, clock):
        shown(subscribe())
        reprice_plan(service.plans.get(code="pro"), amount="60.5", effective_from=NOW + timedelta(days=1))
        assert shown(call("GET", "subscriptions/s"))["plan_amount_cents"] == 5000
        clock.move_to(NOW + timedelta(days=2))
        assert shown(call("GET", "subscriptions/s"))["plan_amount_cents"] == 6050


class TestUpgrading:
    def test_the_dearer_plan_takes_over_at_once(self, subscribe, call, clock):
        first = shown(
            subscribe("basic", name="Small", subscription_at="2026-09-05", billing_time="anniversary")
        )
        found = shown(subscribe("pro"))
        assert (found["plan_code"], found["previous_plan_code"], found["status"]) == (
            "pro",
            "basic",
            "active",
        )
        assert (found["billing_time"], found["name"]) == ("anniversary", None)
        assert (found["subscription_at"], found["started_at"]) == (
            "2026-09-05T00:00:00Z",
            "2026-10-20T12:00:00.250Z",
        )
        assert found["current_billing_period_ending_at"] == "2026-11-04T23:59:59Z"
        old = shown(call("GET", "subscriptions/s?status=terminated"))
        assert (old["lago_id"], old["next_plan_code"]) == (first["lago_id"], "pro")
        assert (old["terminated_at"], old["downgrade_plan_date"]) == ("2026-10-20T12:00:00Z", None)
        assert shown(subscribe("pro"))["lago_id"] == found["lago_id"], "posted again it is the same one"

    def test_an_equal_amount_a_year_is_an_upgrade_and_plans_are_compared_by_the_year(
        self, service, subscribe
    ):
        factories.PlanFactory(service=service, code="twelfth", amount=600, interval="yearly")
        shown(subscribe("pro"))
        assert shown(subscribe("twelfth"))["plan_code"] == "twelfth"
        assert shown(subscribe("year"))["next_plan_code"] == "year", "500 a year is less than 600"

    def test_right_after_its_start_it_still_has_been(self, subscribe):
        shown(subscribe("basic"))
        shown(subscribe("pro"))
        old, new = Subscription.objects.order_by("started_at")
        assert old.terminated_at == new.started_at == NOW + timedelta.resolution

    def test_an_agreed_end_stays_agreed(self, subscribe):
        shown(subscribe("basic", ending_at="2026-12-01"))
        assert shown(subscribe("pro"))["ending_at"] == "2026-12-01T00:00:00Z"

    def test_one_that_has_not_begun_changes_its_plan_itself(self, subscribe):
        first = shown(subscribe("pro", subscription_at="2026-12-01", name="Main"))
        for plan in ("year", "pro", "basic"):
            found = shown(subscribe(plan))
            assert (found["lago_id"], found["plan_code"], found["status"]) == (
                first["lago_id"],
                plan,
                "pending",
            )
        assert found["name"] == "Main"
        assert Subscription.objects.count() == 1


class TestDowngrading:
    def test_the_cheaper_plan_waits_for_the_periods_end(self, subscribe, call, clock):
        first = shown(subscribe("pro"))
        found = shown(subscribe("basic"))
        assert (found["lago_id"], found["plan_code"], found["status"]) == (first["lago_id"], "pro", "active")
        assert (found["next_plan_code"], found["downgrade_plan_date"]) == ("basic", "2026-11-01")
        assert found["terminated_at"] is None
        waiting = shown(call("GET", "subscriptions/s?status=pending"))
        assert (waiting["plan_code"], waiting["previous_plan_code"]) == ("basic", "pro")
        assert shown(subscribe("basic"))["lago_id"] == first["lago_id"]
        assert Subscription.objects.count() == 2, "posted again nothing changes"
        clock.move_to(datetime(2026, 11, 1, tzinfo=UTC))
        now = shown(call("GET", "subscriptions/s"))
        assert (now["lago_id"], now["plan_code"]) == (waiting["lago_id"], "basic")
        assert shown(call("GET", "subscriptions/s?status=terminated"))["next_plan_code"] == "basic"

    def test_the_periods_end_is_the_customers(self, subscribe, call):
        call("POST", "customers", {"customer": {"external_id": "acme", "timezone": "Asia/Tokyo"}})
        shown(subscribe("pro"))
        assert shown(subscribe("basic"))["downgrade_plan_date"] == "2026-11-01"
        old, new = Subscription.objects.order_by("started_at")
        assert old.terminated_at == new.started_at == datetime(2026, 10, 31, 15, tzinfo=UTC)

    def test_canceled_it_leaves_the_old_plan_as_it_was(self, subscribe, call):
        shown(subscribe("pro", ending_at="2027-03-01"))
        shown(subscribe("basic"))
        canceled = shown(call("DELETE", "subscriptions/s?status=pending"))
        assert (canceled["status"], canceled["canceled_at"]) == ("canceled", "2026-10-20T12:00:00Z")
        assert canceled["current_billing_period_started_at"] is None
        current = shown(call("GET", "subscriptions/s"))
        assert (current["next_plan_code"], current["downgrade_plan_date"]) == (None, None)
        old = Subscription.objects.get(canceled_at=None)
        assert old.terminated_at == old.ending_at == datetime(2027, 3, 1, tzinfo=UTC)

    def test_another_plan_replaces_the_one_that_waits(self, service, subscribe, call):
        factories.PlanFactory(service=service, code="tiny", amount=1)
        shown(subscribe("pro"))
        shown(subscribe("basic"))
        assert shown(subscribe("tiny"))["next_plan_code"] == "tiny"
        assert shown(call("GET", "subscriptions/s?status=canceled"))["plan_code"] == "basic"

    def test_an_upgrade_cancels_the_one_that_waits(self, service, subscribe, call, clock):
        factories.PlanFactory(service=service, code="max", amount=99)
        shown(subscribe("pro"))
        shown(subscribe("basic"))
        clock.shift(1)
        assert shown(subscribe("max"))["plan_code"] == "max"
        assert gone(call("GET", "subscriptions/s?status=pending"))
        assert Subscription.objects.get(plan__code="pro").terminated_at == NOW + timedelta(seconds=1)

    def test_one_that_ends_before_is_not_downgraded(self, subscribe):
        shown(subscribe("pro", ending_at="2026-10-25"))
        assert refused(subscribe("basic")) == {"ending_at": ["invalid_date"]}
        assert shown(subscribe("basic", ending_at="2026-12-25"))["ending_at"] == "2026-12-25T00:00:00Z"


def test_a_customers_subscriptions_are_listed_below_it(subscribe, call):
    subscribe()
    subscribe(external_id="t", customer="other")
    listed = call("GET", "customers/acme/subscriptions").json()
    assert [each["external_id"] for each in listed["subscriptions"]] == ["s"]
    assert listed["meta"]["total_count"] == 1
    assert call("GET", "customers/acme/subscriptions?status[]=terminated").json()["subscriptions"] == []
    assert call("GET", "customers/none/subscriptions").json()["code"] == "customer_not_found"


def test_a_change_without_a_status_finds_the_one_that_is_to_begin_where_none_runs(subscribe, call):
    subscribe(subscription_at="2030-01-01T00:00:00Z")
    changed = shown(call("PUT", "subscriptions/s", {"subscription": {"name": "Later"}}))
    assert (changed["name"], changed["status"]) == ("Later", "pending")
    call("DELETE", "subscriptions/s?status=pending")
    assert gone(call("PUT", "subscriptions/s", {"subscription": {"name": "Never"}}))
