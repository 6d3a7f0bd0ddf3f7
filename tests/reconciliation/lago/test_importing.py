"""Moving from Lago: everything comes over once, what changed there follows, and what cannot come says why."""

import json
from threading import Thread

import pytest
from django.db import connection

from ingest.errors import DomainError
from ingest.models import AuditRecord, Customer, LagoId, Metric, Plan, Subscription
from reconciliation.connectors.lago.api import LagoApi
from reconciliation.connectors.lago.files import LagoFolder
from reconciliation.models import WebhookEndpoint
from reconciliation.secrets import decrypt
from tests import factories
from tests.lago_standin import objects
from tests.lago_standin.objects import lago_id
from tests.reconciliation.lago.conftest import became, count_rows, reason

ALL = {
    "billable_metrics": ["storage", "api_calls"],
    "plans": ["pro"],
    "customers": ["acme"],
    "subscriptions": ["sub-1"],
    "webhook_endpoints": ["https://hooks.nexa.example/lago"],
}


class TestFirstTime:
    def test_everything_comes_over(self, bring, service):
        report = bring()
        assert became(report, "created") == ALL
        assert report.is_complete
        customer, subscription = Customer.objects.get(), Subscription.objects.get()
        assert (customer.external_id, customer.stripe_customer_id) == ("acme", "cus_4521")
        assert customer.profile["billing_configuration"]["payment_provider_code"] == "stripe_ca"
        assert (customer.profile["city"], customer.profile["metadata"][0]["value"]) == ("Toronto", "gold")
        assert (subscription.external_id, subscription.plan.code, subscription.customer) == (
            "sub-1",
            "pro",
            customer,
        )
        assert Metric.objects.get(code="storage").filters == {"region": ["eu", "us"]}

    def test_a_plan_has_its_charges_and_filters(self, bring):
        bring()
        plan = Plan.objects.get()
        assert (plan.currency, str(plan.versions.get().amount)) == ("CAD", "49.00")
        calls, storage = (charge.versions.get() for charge in plan.charges.order_by("code"))
        assert calls.properties == {"amount": "0.05"}
        assert storage.properties["pricing_group_keys"] == ["team"]
        assert storage.filters[0]["values"] == {"region": ["eu"]}
        assert storage.filters[0]["invoice_display_name"] == "Europe"

    def test_lagos_ids_of_every_kind_are_known(self, bring, service):
        bring()
        known = {(entry.kind, str(entry.lago_id)): entry.public_id for entry in LagoId.objects.all()}
        assert {kind for kind, _ in known} == {
            *("metric", "plan", "charge", "customer", "subscription", "webhook_endpoint")
        }
        assert known["customer", lago_id("customer", "acme")] == Customer.objects.get().public_id
        charge = Plan.objects.get().charges.get(code="storage")
        assert known["charge", lago_id("charge", "storage")] == charge.public_id

    def test_it_is_attributable(self, bring, service):
        bring()
        records = AuditRecord.objects.filter(actor_label="import from Lago", service=service)
        assert {
            "customer.create",
            "plan.create",
            "plan.price",
            "charge.add",
            "subscription.take_over",
        } <= set(records.values_list("action", flat=True))
        assert records.filter(action="customer.link_lago").get().after == {
            "lago_id": lago_id("customer", "acme")
        }

    def test_an_endpoint_has_a_key_that_nobody_was_shown(self, bring):
        report = bring()
        endpoint = WebhookEndpoint.objects.get()
        key = decrypt(bytes(endpoint.secret))
        assert endpoint.algorithm == "hmac"
        assert len(key) > 40
        assert key not in str(report) + str(list(AuditRecord.objects.values_list("after", flat=True)))
        assert "New key" in reason(report, "webhook_endpoints")

    def test_it_is_one_services_alone(self, bring, service):
        other = factories.ServiceFactory()
        bring()
        bring(service=other)
        assert LagoId.objects.filter(service=service).count() == LagoId.objects.filter(service=other).count()
        assert Customer.objects.filter(external_id="acme").count() == 2

    def test_files_bring_the_same(self, bring, lago, tmp_path):
        for name, rows in lago.world.items():
            (tmp_path / f"{name}.json").write_text(json.dumps(rows))
        assert became(bring(source=LagoFolder(tmp_path)), "created").keys() == ALL.keys()
        assert became(bring(), "left").keys() == ALL.keys()


class TestDryRun:
    def test_it_tells_all_and_writes_nothing(self, bring, service):
        before = count_rows()
        report = bring(is_dry=True)
        assert became(report, "created") == ALL
        assert count_rows() == before
        assert became(bring(), "created") == ALL

    def test_it_tells_what_would_change_and_what_cannot_come(self, bring, lago):
        bring()
        before = count_rows()
        lago.world["plans"] = [
            objects.plan("pro", amount_cents=5900),
            objects.plan("bad", objects.charge("lost")),
        ]
        report = bring(is_dry=True)
        assert became(report, "changed") == {"plans": ["pro"]}
        assert became(report, "refused") == {"plans": ["bad"]}
        assert count_rows() == before


class TestAgain:
    def test_a_second_run_changes_nothing(self, bring, clock):
        bring()
        before = count_rows()
        clock.shift(3600)
        assert became(bring(), "left") == ALL
        assert count_rows() == before

    def test_a_price_that_changed_holds_from_now_on_alone(self, bring, lago, clock):
        bring()
        clock.shift(3600)
        plan = lago.world["plans"][0]
        plan["amount_cents"] = 5900
        plan["charges"][0]["properties"] = {"amount": "0.07"}
        assert became(bring(), "changed") == {"plans": ["pro"]}
        first, second = Plan.objects.get().versions.order_by("number")
        assert (str(first.amount), str(second.amount)) == ("49.00", "59.00")
        assert second.effective_from.isoformat() == "2026-11-25T13:00:00+00:00"
        old, new = Plan.objects.get().charges.get(code="api_calls").versions.order_by("number")
        assert (old.properties, new.properties) == ({"amount": "0.05"}, {"amount": "0.07"})
        assert new.effective_from == second.effective_from
        assert Plan.objects.get().charges.get(code="storage").versions.count() == 1

    def test_a_charge_that_was_renamed_is_still_the_same(self, bring, lago):
        bring()
        before = Plan.objects.get().charges.get(code="api_calls").pk
        lago.world["plans"][0]["charges"][0]["code"] = "calls"
        bring()
        assert Plan.objects.get().charges.get(code="calls").pk == before

    def test_a_charge_that_comes_or_goes_does_so_from_now_on(self, bring, lago):
        bring()
        del lago.world["plans"][0]["charges"][1]
        bring()
        gone = Plan.objects.get().charges.get(code="storage")
        assert gone.deleted_at.isoformat() == "2026-11-25T12:00:00+00:00"

    def test_what_a_service_changed_here_stays_while_lago_says_the_same(self, bring):
        bring()
        Customer.objects.update(name="Renamed here")
        assert became(bring(), "left") == ALL
        assert Customer.objects.get().name == "Renamed here"

    def test_what_is_gone_in_lago_is_told_and_stays(self, bring, lago):
        bring()
        lago.world["customers"], lago.world["subscriptions"] = [], []
        report = bring()
        assert became(report, "gone") == {"customers": ["Acme"], "subscriptions": ["sub-1"]}
        assert lago_id("customer", "acme") in {each.place for each in report.outcomes}
        assert Customer.objects.get().deleted_at is None
        assert Subscription.objects.get().terminated_at is None

    def test_what_was_deleted_here_is_not_restored(self, bring, lago):
        bring()
        Customer.objects.update(deleted_at="2026-11-25T12:00:00Z")
        assert became(bring(), "left") == ALL
        lago.world["customers"][0]["name"] = "Acme Ltd"
        assert "deleted here" in reason(bring(), "customers")
        assert Customer.objects.get().deleted_at is not None

    def test_a_value_that_lago_has_no_more_is_taken_back(self, bring, lago):
        bring()
        lago.world["customers"][0] |= {"email": None, "city": None}
        bring()
        customer = Customer.objects.get()
        assert (customer.email, customer.profile["city"]) == ("", "")

    def test_what_was_here_already_is_linked(self, bring, service, lago):
        lago.world["subscriptions"] = []
        customer = factories.CustomerFactory(service=service, external_id="acme", odoo_partner_id=7)
        report = bring()
        assert reason(report, "customers") == "it was here already"
        assert Customer.objects.get(external_id="acme").odoo_partner_id == customer.odoo_partner_id

    def test_a_metric_that_a_plan_sells_stays_what_it_is(self, bring, service, lago):
        bring()
        lago.world["billable_metrics"][0]["aggregation_type"] = "max_agg"
        assert "aggregation" in reason(bring(), "billable_metrics")
        assert Metric.objects.get(code="api_calls").aggregation == "sum_agg"

    def test_an_endpoint_that_changed_follows(self, bring, lago):
        bring()
        secret = bytes(WebhookEndpoint.objects.get().secret)
        lago.world["webhook_endpoints"][0]["webhook_url"] = "https://hooks.nexa.example/new"
        bring()
        endpoint = WebhookEndpoint.objects.get()
        assert (endpoint.url, bytes(endpoint.secret)) == ("https://hooks.nexa.example/new", secret)


class TestWhatCannotCome:
    @pytest.mark.parametrize(
        ("collection", "fields", "words"),
        [
            ("billable_metrics", {"aggregation_type": "custom_agg"}, "aggregation_type: feature_unavailable"),
            ("billable_metrics", {"expression": "1 +", "field_name": "x"}, "invalid_expression"),
            ("billable_metrics", {"lago_id": None}, "no `lago_id`"),
            ("billable_metrics", {"lago_id": "7"}, "no `lago_id`"),
            ("billable_metrics", {"name": "a\x00b"}, "U+0000"),
            ("billable_metrics", {"code": {"a": 1}}, "code: value_is_invalid"),
            ("plans", {"usage_thresholds": [{"amount_cents": 1}]}, "usage_thresholds: feature_unavailable"),
            ("plans", {"charges": [objects.charge("lost")]}, "charges[0]: its metric lost is not here"),
            (
                "plans",
                {"charges": [objects.charge(charge_model="custom")]},
                "charges[0].charge_model: feature_un",
            ),
            ("plans", {"charges": [objects.charge(properties={"amount": "x"})]}, "amount"),
            ("plans", {"charges": [7]}, "charges"),
            ("plans", {"charges": "many"}, "charges"),
            ("plans", {"trial_period": 2.5}, "trial_period"),
            ("plans", {"amount_cents": "1e400"}, "amount_cents"),
            ("plans", {"interval": "daily"}, "interval: value_is_invalid"),
            ("customers", {"country": "XX"}, "country: not_a_valid_country_code – correct it in Lago"),
            (
                "customers",
                {"external_id": "x" * 10_000},
                "external_id: value_is_too_long – shorten it in Lago",
            ),
            ("customers", {"metadata": [7]}, "metadata"),
            ("subscriptions", {"external_customer_id": "nobody"}, "Its customer nobody is not here"),
            ("subscriptions", {"plan_code": "lost"}, "Its plan lost is not here"),
            ("subscriptions", {"status": "incomplete"}, "first payment"),
            ("subscriptions", {"started_at": "soon"}, "started_at: invalid_date"),
            ("subscriptions", {"external_id": None}, "external_id: value_is_mandatory"),
            ("webhook_endpoints", {"webhook_url": "https://user:secret@hooks"}, "without a password"),
        ],
    )
    def test_it_is_told_where_and_why_and_the_rest_comes(self, bring, lago, collection, fields, words):
        world = {name: [dict(row) for row in rows] for name, rows in objects.small_world().items()}
        lago.world["billable_metrics"].append(objects.metric("unrelated"))
        bad = {**world[collection][0], **fields}
        if "lago_id" not in fields:
            bad["lago_id"] = lago_id("bad")
        if "code" in bad and "code" not in fields:
            bad["code"] = "bad"
        lago.world[collection].append(bad)
        report = bring()
        (refused,) = [each for each in report.outcomes if each.done == "refused"]
        assert (refused.collection, words in refused.reason) == (collection, True), refused.reason
        assert refused.place.startswith(f"{collection}, page 1, entry ")
        assert "secret" not in str(refused)
        assert not report.is_complete
        assert became(report, "created").keys() == ALL.keys()

    def test_a_restricted_key_brings_what_it_may_see(self, bring, lago):
        lago.forbidden = frozenset({"billable_metrics", "plans"})
        report = bring()
        assert report.missing["plans"] == "the key may not read it (read_action_not_allowed_for_plan)"
        assert became(report, "created").keys() == {"customers", "webhook_endpoints"}
        assert "Its plan pro is not here" in reason(report, "subscriptions")
        lago.forbidden = frozenset({"billable_metrics"})
        service = Customer.objects.get().service
        factories.MetricFactory(service=service, code="api_calls")
        factories.MetricFactory(service=service, code="storage", filters={"region": ["eu"]})
        assert became(bring(), "created").keys() == {"plans", "subscriptions"}

    def test_nothing_is_told_gone_of_a_list_that_was_not_read(self, bring, lago):
        bring()
        lago.forbidden = frozenset({"customers"})
        assert became(bring(), "gone") == {}

    @pytest.mark.parametrize("phase", ["approved", "live"])
    def test_a_service_whose_cutover_is_decided_brings_nothing_more(self, bring, service, lago, phase):
        service.phase = phase
        service.save()
        with pytest.raises(DomainError) as refused:
            bring()
        assert (refused.value.code, lago.asked) == ("service_is_live", [])

    def test_of_several_addresses_the_first_is_kept(self, bring, lago):
        lago.world["customers"][0]["email"] = "a@acme.example, b@acme.example"
        assert bring().is_complete
        assert Customer.objects.get().email == "a@acme.example"

    def test_a_customer_is_billed_in_the_time_zone_that_lago_billed_it_in(self, bring, lago):
        lago.world["customers"][0]["applicable_timezone"] = "America/Toronto"
        lago.world["customers"].append(objects.customer("bolt"))
        bring()
        zones = dict(Customer.objects.values_list("external_id", "timezone"))
        assert zones == {"acme": "America/Toronto", "bolt": ""}


@pytest.mark.django_db(transaction=True)
def test_two_imports_at_once_bring_everything_once(lago, service, bring):
    lago.world["customers"] += [objects.customer(f"c-{number}") for number in range(8)]
    reports, failures = [], []

    def run():
        try:
            reports.append(bring(source=LagoApi(lago.url, lago.key)))
        except Exception as error:
            failures.append(error)
        finally:
            connection.close()

    threads = [Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failures == []
    assert all(report.is_complete for report in reports)
    assert sum(len(became(report, "created").get("customers", ())) for report in reports) == 9
    assert (Customer.objects.count(), Plan.objects.count(), Subscription.objects.count()) == (9, 1, 1)
    assert AuditRecord.objects.filter(action="plan.price").count() == 1
