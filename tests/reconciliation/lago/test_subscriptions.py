"""Subscriptions from Lago: their dates and their chain come over, their past stays where it was billed."""

import json
from datetime import UTC, datetime

import pytest
from django.utils import timezone

from ingest.billers import biller_of
from ingest.calendar import closed_labels, newest_closed_periods
from ingest.errors import DomainError
from ingest.models import BillerTerm, Fee, Plan, Subscription
from ingest.subscriptions import subscribe
from ingest.windows import windows_of
from reconciliation.connectors.lago.files import LagoFolder
from reconciliation.intents import plan_pushes
from tests import factories
from tests.ingest.selling import bill
from tests.lago_standin import objects
from tests.lago_standin.objects import lago_id, subscription
from tests.reconciliation.lago.conftest import TODAY, became, reason

LATER = datetime(2027, 1, 3, 12, tzinfo=UTC)


def at(*parts):
    return datetime(*parts, tzinfo=UTC)


@pytest.fixture
def subs(lago):
    """The subscriptions that Lago holds, to change; beside Pro there are dearer and cheaper plans."""
    lago.world["plans"] += [
        objects.plan("max", objects.charge("api_calls", lago_id=lago_id("max")), amount_cents=9900),
        objects.plan("mini", amount_cents=900),
    ]
    return lago.world["subscriptions"]


def dates(row):
    return row.started_at, row.terminated_at


class TestThePast:
    def test_periods_that_ended_before_the_import_are_neither_metered_nor_pushed(self, bring, service, clock):
        bring()
        clock.move_to(LATER)
        now = timezone.now()
        assert closed_labels(service=service, now=now) == ["2026-11", "2026-12"]
        assert {each.label for each in newest_closed_periods(service=service, now=now, count=3)} == {
            "2026-11",
            "2026-12",
        }
        assert windows_of(service=service, period_label="2026-10") == []
        bill(service, "2026-10", now=now)
        assert not Fee.objects.exists()
        plan = plan_pushes(service=service, period_label="2026-10", actor=None, is_dry=True)
        assert (plan.created, plan.refusals) == (0, [])

    def test_the_period_that_runs_is_metered_whole(self, bring, service, clock):
        bring()
        (window,) = windows_of(service=service, period_label="2026-11")
        assert (window.counts_from, window.counts_to) == (at(2026, 11, 1), at(2026, 12, 1))
        bill(service, "2026-11", now=LATER)
        assert Fee.objects.get(charge=None).amount == 49

    def test_somebody_may_ask_for_earlier_ones(self, bring, service):
        bring(since=at(2026, 9, 1))
        assert closed_labels(service=service, now=TODAY) == ["2026-09", "2026-10"]

    def test_or_ask_later(self, bring, service):
        bring()
        assert became(bring(since=at(2026, 9, 1)), "changed") == {"subscriptions": ["sub-1"]}
        assert closed_labels(service=service, now=TODAY) == ["2026-09", "2026-10"]
        assert became(bring(since=at(2026, 11, 1)), "changed") == {}
        assert closed_labels(service=service, now=TODAY) == ["2026-09", "2026-10"]

    def test_no_day_that_has_not_come(self, bring):
        with pytest.raises(DomainError) as refused:
            bring(since=at(2026, 12, 1))
        assert refused.value.code == "since_is_ahead"

    def test_others_of_the_service_keep_their_past(self, bring, service):
        plan = factories.PlanFactory(service=service)
        customer = factories.CustomerFactory(service=service)
        factories.SubscriptionFactory(customer=customer, plan=plan, started_at=at(2026, 9, 1))
        bring()
        (window,) = windows_of(service=service, period_label="2026-09")
        assert list(window.subscriptions) == list(customer.subscriptions.values_list("pk", flat=True))

    def test_the_service_bills_it_until_a_cutover(self, bring):
        bring()
        row = Subscription.objects.get()
        assert biller_of(subscription=row, period_start=at(2026, 12, 1)) == "service"
        assert not BillerTerm.objects.exists()


class TestFields:
    def test_dates_and_terms_come_over(self, bring, subs):
        subs[0] |= {
            "name": "Main",
            "billing_time": "anniversary",
            "subscription_at": "2024-02-01T00:00:00Z",
            "ending_at": "2027-06-30T00:00:00Z",
            "purchase_order_number": "PO-7",
        }
        bring()
        row = Subscription.objects.get()
        assert (row.name, row.billing_time, row.subscription_at) == ("Main", "anniversary", at(2024, 2, 1))
        assert dates(row) == (at(2024, 3, 10, 8, 30), at(2027, 6, 30))
        assert row.profile["purchase_order_number"] == "PO-7"
        assert row.metered_from == TODAY

    def test_one_that_is_to_begin_is_pending(self, bring, subs):
        subs[0] |= {"status": "pending", "started_at": None, "subscription_at": "2027-01-01T00:00:00Z"}
        bring()
        row = Subscription.objects.get()
        assert (row.status_at(TODAY), row.started_at) == ("pending", at(2027, 1, 1))

    def test_ended_and_canceled_ones_are_left_out_unless_asked_for(self, bring, subs):
        subs += [
            subscription("sub-2", status="terminated", terminated_at="2026-10-10T00:00:00Z"),
            subscription("sub-3", status="canceled", canceled_at="2024-01-01T00:00:00Z"),
        ]
        assert became(bring(), "skipped") == {"subscriptions": ["sub-2", "sub-3"]}
        report = bring(with_ended=True)
        assert became(report, "created") == {"subscriptions": ["sub-2"]}
        assert dates(Subscription.objects.get(external_id="sub-2"))[1] == at(2026, 10, 10)

    def test_one_with_prices_of_its_own_cannot_come(self, bring, subs, lago):
        lago.overridden = frozenset({subs[0]["lago_id"]})
        assert "plan_overrides" in reason(bring(), "subscriptions")

    def test_from_files_another_base_amount_tells_it(self, bring, subs, lago, tmp_path):
        subs[0]["plan_amount_cents"] = 4000
        for name, rows in lago.world.items():
            (tmp_path / f"{name}.json").write_text(json.dumps(rows))
        assert "plan_overrides" in reason(bring(source=LagoFolder(tmp_path)), "subscriptions")

    def test_one_that_the_service_began_here_is_the_same(self, bring, subs, service):
        subs.clear()
        bring()
        began = subscribe(
            service_id=service.pk,
            external_customer_id="acme",
            plan_code="pro",
            external_id="sub-1",
            values={},
            rule="key",
        )
        subs.append(subscription(started_at="2026-11-20T00:00:00Z"))
        report = bring()
        assert became(report, "changed") == {"subscriptions": ["sub-1"]}
        row = Subscription.objects.get()
        assert (row.pk, row.started_at, row.metered_from) == (began.pk, at(2026, 11, 20), None)

    def test_another_customers_is_not_taken_over(self, bring, subs, service):
        other = factories.CustomerFactory(service=service)
        plan = factories.PlanFactory(service=service)
        factories.SubscriptionFactory(
            customer=other, plan=plan, external_id="sub-1", started_at=at(2026, 9, 1)
        )
        assert "another customer" in reason(bring(), "subscriptions").lower()


class TestChains:
    UPGRADED = {"status": "terminated", "terminated_at": "2026-11-10T10:00:00.000Z"}

    def upgrade(self, subs, started_at="2026-11-10T10:00:01.500Z"):
        subs[0] |= self.UPGRADED
        subs.append(
            subscription(
                plan_code="max",
                plan_amount_cents=9900,
                started_at=started_at,
                subscription_at=subs[0]["started_at"],
                previous_plan_code="pro",
            )
        )

    @pytest.mark.parametrize("started_at", ["2026-11-10T10:00:01.500Z", "2026-11-10T09:59:59.000Z"])
    def test_an_upgrade_before_the_import_leaves_no_time_between(self, bring, subs, started_at):
        self.upgrade(subs, started_at)
        assert bring(with_ended=True).is_complete
        old, new = Subscription.objects.order_by("started_at")
        assert (old.terminated_at, new.previous) == (new.started_at, old)
        assert new.subscription_at == at(2024, 3, 10, 8, 30)

    def test_without_the_ended_one_the_new_one_stands_alone(self, bring, subs):
        self.upgrade(subs)
        bring()
        row = Subscription.objects.get()
        assert (row.plan.code, row.previous) == ("max", None)

    def test_an_upgrade_between_two_imports_follows(self, bring, subs, clock):
        bring()
        clock.move_to(at(2026, 12, 2))
        self.upgrade(subs, "2026-12-01T09:00:00Z")
        subs[0]["terminated_at"] = "2026-12-01T09:00:00Z"
        report = bring()
        assert became(report, "changed") == {"subscriptions": ["sub-1"]}
        assert became(report, "created") == {"subscriptions": ["sub-1"]}
        old, new = Subscription.objects.order_by("started_at")
        assert (old.terminated_at, new.previous, new.plan.code) == (at(2026, 12, 1, 9), old, "max")
        assert became(bring(), "created") == {}

    def downgrade(self, subs):
        subs[0] |= {"next_plan_code": "mini", "downgrade_plan_date": "2026-12-01"}
        subs.append(
            subscription(
                plan_code="mini",
                plan_amount_cents=900,
                status="pending",
                started_at=None,
                subscription_at=subs[0]["started_at"],
                previous_plan_code="pro",
            )
        )

    def test_a_downgrade_that_waits_begins_when_the_period_ends(self, bring, subs):
        self.downgrade(subs)
        assert bring().is_complete
        old, new = Subscription.objects.order_by("started_at")
        assert (old.terminated_at, new.started_at, new.previous) == (at(2026, 12, 1), at(2026, 12, 1), old)
        assert new.status_at(TODAY) == "pending"
        assert became(bring(), "left")["subscriptions"] == ["sub-1", "sub-1"]

    def test_when_it_has_begun_in_lago_it_stays_where_it_was(self, bring, subs, clock):
        self.downgrade(subs)
        bring()
        clock.move_to(at(2026, 12, 2))
        subs[0] |= {"status": "terminated", "terminated_at": "2026-12-01T00:10:00Z"}
        subs[1] |= {"status": "active", "started_at": "2026-12-01T00:10:03Z"}
        assert bring().is_complete
        old, new = Subscription.objects.order_by("started_at")
        assert (old.terminated_at, new.started_at) == (at(2026, 12, 1), at(2026, 12, 1))

    def test_one_that_lago_gave_up_is_canceled_and_the_other_goes_on(self, bring, subs):
        self.downgrade(subs)
        bring()
        subs[1] |= {"status": "canceled", "canceled_at": "2026-11-25T12:00:00Z"}
        assert bring().is_complete
        old, new = Subscription.objects.order_by("started_at")
        assert (old.terminated_at, new.canceled_at) == (None, TODAY)


class TestLater:
    def test_an_end_in_lago_ends_it_here(self, bring, subs, clock):
        bring()
        clock.move_to(at(2026, 12, 2))
        subs[0] |= {"status": "terminated", "terminated_at": "2026-12-01T10:00:00Z"}
        bring()
        assert Subscription.objects.get().terminated_at == at(2026, 12, 1, 10)

    def test_what_ended_here_is_not_begun_again(self, bring, subs, clock):
        bring()
        Subscription.objects.update(terminated_at=at(2026, 11, 24))
        subs[0]["name"] = "Renamed"
        assert "ended here" in reason(bring(), "subscriptions")
        assert Subscription.objects.get().terminated_at == at(2026, 11, 24)

    def test_another_start_is_refused_once_a_period_was_metered(self, bring, subs, service, clock):
        bring()
        bill(service, "2026-11", now=LATER)
        subs[0]["started_at"] = "2024-01-01T00:00:00Z"
        assert "periods were metered" in reason(bring(), "subscriptions")
        assert Subscription.objects.get().started_at == at(2024, 3, 10, 8, 30)

    def test_another_start_is_taken_before(self, bring, subs):
        bring()
        subs[0]["started_at"] = "2024-01-01T00:00:00Z"
        bring()
        assert Subscription.objects.get().started_at == at(2024, 1, 1)

    def test_a_plan_price_that_changes_leaves_closed_periods_as_they_were(self, bring, lago, service, clock):
        bring()
        clock.move_to(at(2026, 12, 10))
        lago.world["plans"][0]["amount_cents"] = 5900
        bring()
        for label, amount in (("2026-11", 49), ("2026-12", 59)):
            bill(service, label, now=LATER)
            assert Fee.objects.get(charge=None, period_label=label).amount == amount
        assert Plan.objects.get(code="pro").versions.count() == 2
