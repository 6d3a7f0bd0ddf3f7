"""Customers over the API: made, changed, found, deleted and restored, each by its own service (Lago: customers)."""

from datetime import UTC, datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from lago_python_client.models.customer import CustomerResponse

from ingest.models import AuditRecord, Biller, Customer
from tests import factories
from tests.ingest.api.refusals import refused
from tests.ingest.api.subscribing import NOW

pytestmark = pytest.mark.django_db

ACME = {
    "external_id": "acme",
    "name": "Acme",
    "firstname": "Ada",
    "lastname": "Byron",
    "customer_type": "company",
    "account_type": "customer",
    "email": "billing@acme.example",
    "phone": "+1 416 555 0100",
    "url": "https://acme.example",
    "logo_url": "https://acme.example/logo.png",
    "legal_name": "Acme Inc.",
    "legal_number": "4711",
    "tax_identification_number": "CA123",
    "country": "CA",
    "address_line1": "1 King St",
    "address_line2": "2nd floor",
    "city": "Toronto",
    "state": "ON",
    "zipcode": "M5H 1A1",
    "shipping_address": {
        "address_line1": "Dock 4",
        "address_line2": "",
        "city": "Oakville",
        "zipcode": "L6H",
        "state": "ON",
        "country": "CA",
    },
    "currency": "CAD",
    "timezone": "America/Toronto",
    "net_payment_term": 30,
    "external_salesforce_id": "sf-1",
    "finalize_zero_amount_invoice": "skip",
    "billing_entity_code": "main",
    "tax_codes": ["hst"],
    "invoice_custom_section_codes": ["thanks"],
    "skip_invoice_custom_sections": True,
}


@pytest.fixture
def upsert(call):
    """Posts a customer of that external id."""

    def upsert(external_id="acme", **fields):
        return call("POST", "customers", {"customer": {"external_id": external_id} | fields})

    return upsert


def shown(answer):
    assert answer.status_code == 200, answer.content
    return answer.json()["customer"]


def test_a_customer_is_made_and_answered_whole(call):
    found = shown(call("POST", "customers", {"customer": ACME}))
    customer = Customer.objects.get()
    assert {name: found[name] for name in ACME} == ACME
    assert (found["lago_id"], found["applicable_timezone"]) == (str(customer.public_id), "America/Toronto")
    assert (found["taxes"], found["metadata"], found["integration_customers"]) == ([], [], [])
    assert (customer.name, customer.email, customer.currency) == ("Acme", "billing@acme.example", "CAD")
    assert (customer.timezone, customer.profile["country"]) == ("America/Toronto", "CA")
    record = AuditRecord.objects.get(action="customer.create")
    assert record.actor_label.startswith("API key bc_")
    assert record.after["profile"]["city"] == "Toronto"
    assert shown(call("GET", "customers/acme")) == found
    assert CustomerResponse.parse_obj(found).shipping_address.city == "Oakville"


def test_posted_again_only_what_is_given_changes(call, upsert):
    call("POST", "customers", {"customer": ACME})
    found = shown(upsert(name="Acme Ltd", city="Ottawa", email=None, shipping_address={"city": "Hull"}))
    assert (found["name"], found["city"], found["email"]) == ("Acme Ltd", "Ottawa", "billing@acme.example")
    assert (found["shipping_address"]["city"], found["shipping_address"]["zipcode"]) == ("Hull", "L6H")
    assert Customer.objects.count() == 1
    record = AuditRecord.objects.get(action="customer.change")
    assert (record.before["name"], record.after["name"]) == ("Acme", "Acme Ltd")
    upsert(name="Acme Ltd")
    assert AuditRecord.objects.filter(action="customer.change").count() == 1


def test_an_empty_text_takes_a_value_back(call, upsert):
    call("POST", "customers", {"customer": ACME})
    found = shown(upsert(email="", timezone="", country=""))
    assert (found["email"], found["timezone"], found["country"]) == (None, None, "")
    assert found["applicable_timezone"] == "UTC"


@pytest.mark.parametrize(
    ("fields", "details"),
    [
        ({"external_id": None}, {"external_id": ["value_is_mandatory"]}),
        ({"external_id": " "}, {"external_id": ["value_is_mandatory"]}),
        ({"external_id": "x" * 10_000}, {"external_id": ["value_is_too_long"]}),
        ({"external_id": "a\x00b"}, {"external_id": ["value_is_invalid"]}),
        ({"name": "n" * 256}, {"name": ["value_is_too_long"]}),
        ({"name": ["n"]}, {"name": ["value_is_invalid"]}),
        ({"country": "XX"}, {"country": ["not_a_valid_country_code"]}),
        ({"country": "CAN"}, {"country": ["not_a_valid_country_code"]}),
        ({"shipping_address": {"country": "ZZ"}}, {"country": ["not_a_valid_country_code"]}),
        ({"shipping_address": "here"}, {"shipping_address": ["value_is_invalid"]}),
        ({"currency": "ABC"}, {"currency": ["value_is_invalid"]}),
        ({"currency": "cad"}, {"currency": ["value_is_invalid"]}),
        ({"timezone": "Toronto"}, {"timezone": ["invalid_timezone"]}),
        ({"email": "nobody"}, {"email": ["invalid_email_format"]}),
        ({"email": "a@" + "b" * 60 + ("." + "c" * 60) * 4 + ".example"}, {"email": ["value_is_too_long"]}),
        ({"customer_type": "robot"}, {"customer_type": ["value_is_invalid"]}),
        ({"customer_type": {"a": 1}}, {"customer_type": ["value_is_invalid"]}),
        ({"account_type": "robot"}, {"account_type": ["value_is_invalid"]}),
        ({"net_payment_term": -1}, {"net_payment_term": ["value_is_out_of_range"]}),
        ({"net_payment_term": 10**30}, {"net_payment_term": ["value_is_out_of_range"]}),
        ({"finalize_zero_amount_invoice": "maybe"}, {"finalize_zero_amount_invoice": ["value_is_invalid"]}),
        (
            {"billing_configuration": {"payment_provider": "paypal"}},
            {"payment_provider": ["value_is_invalid"]},
        ),
        (
            {"billing_configuration": {"document_locale": "xx"}},
            {"document_locale": ["not_a_valid_language_code"]},
        ),
        (
            {"billing_configuration": {"invoice_grace_period": -1}},
            {"invoice_grace_period": ["value_is_out_of_range"]},
        ),
        ({"metadata": [{"key": str(n), "value": "v"} for n in range(6)]}, {"metadata": ["invalid_count"]}),
        ({"metadata": [{"key": "a", "value": "v"}] * 2}, {"metadata": ["value_already_exist"]}),
        ({"metadata": [{"value": "v"}]}, {"key": ["value_is_mandatory"]}),
        (
            {"integration_customers": [{"integration_type": "xero"}] * 2},
            {"integration_customers": ["invalid_count_per_integration_type"]},
        ),
    ],
)
def test_what_a_customer_cannot_be_is_refused_at_its_field(upsert, fields, details):
    assert refused(upsert(**fields)) == details
    assert not Customer.objects.exists()


def test_a_number_is_its_text_and_a_country_is_in_capitals(upsert):
    found = shown(upsert(external_id=42, zipcode=10115, country="de", net_payment_term="14"))
    assert (found["external_id"], found["zipcode"], found["country"]) == ("42", "10115", "DE")
    assert found["net_payment_term"] == 14


def test_without_its_root_key_it_is_a_bad_request(call):
    answer = call("POST", "customers", ACME)
    assert answer.status_code == 400
    assert answer.json()["error"].endswith("customer")


def test_a_stripe_customer_is_the_account_link(upsert):
    stripe = {"payment_provider": "stripe", "provider_customer_id": "cus_1", "sync": True}
    found = shown(upsert(billing_configuration=stripe))["billing_configuration"]
    assert (found["payment_provider"], found["provider_customer_id"], found["sync"]) == (
        "stripe",
        "cus_1",
        True,
    )
    customer = Customer.objects.get()
    assert customer.stripe_customer_id == "cus_1"
    assert "provider_customer_id" not in customer.profile["billing_configuration"]
    upsert(billing_configuration={"provider_customer_id": "cus_2"})
    customer.refresh_from_db()
    assert customer.stripe_customer_id == "cus_2"


def test_another_providers_customer_is_not(upsert):
    adyen = {"payment_provider": "adyen", "provider_customer_id": "shopper-1"}
    found = shown(upsert(billing_configuration=adyen))["billing_configuration"]
    assert (found["payment_provider"], found["provider_customer_id"]) == ("adyen", "shopper-1")
    assert Customer.objects.get().stripe_customer_id == ""


def test_metadata_is_replaced_and_keeps_its_ids(upsert):
    first = shown(upsert(metadata=[{"key": "a", "value": "1"}, {"key": "b", "value": "2"}]))["metadata"]
    second = shown(
        upsert(
            metadata=[
                {"id": first[0]["lago_id"], "key": "renamed", "value": "3", "display_in_invoice": True},
                {"key": "b", "value": "4"},
                {"key": "c", "value": "5"},
            ]
        )
    )["metadata"]
    assert [entry["lago_id"] for entry in second[:2]] == [entry["lago_id"] for entry in first]
    assert second[0] == {
        "lago_id": first[0]["lago_id"],
        "key": "renamed",
        "value": "3",
        "display_in_invoice": True,
    }
    assert len({entry["lago_id"] for entry in second}) == 3


def test_integrations_are_echoed(upsert):
    given = {"integration_type": "xero", "integration_code": "main", "external_customer_id": "x-1"}
    (found,) = shown(upsert(integration_customers=[given]))["integration_customers"]
    assert (found["type"], found["integration_code"], found["external_customer_id"]) == (
        "xero",
        "main",
        "x-1",
    )


class TestLists:
    @pytest.fixture(autouse=True)
    def customers(self, upsert):
        upsert(
            "a", name="Ada", currency="CAD", country="CA", state="ON", zipcode="M5", customer_type="company"
        )
        upsert("b", name="Bob", currency="EUR", country="DE", account_type="partner", email="bob@x.example")
        upsert("c", legal_name="Ada & Sons", tax_identification_number="T1", billing_entity_code="eu")
        upsert("d", metadata=[{"key": "tier", "value": "gold"}], tax_identification_number="")

    @pytest.mark.parametrize(
        ("query", "found"),
        [
            ("", "dcba"),
            ("search_term=ada", "ca"),
            ("search_term=BOB@", "b"),
            ("external_id=c", "c"),
            ("currencies[]=CAD&currencies[]=EUR", "ba"),
            ("currencies=EUR", "b"),
            ("countries[]=de", "b"),
            ("states[]=ON", "a"),
            ("zipcodes[]=M5", "a"),
            ("account_type[]=partner", "b"),
            ("account_type[]=customer", "dca"),
            ("customer_type=company", "a"),
            ("has_tax_identification_number=true", "c"),
            ("has_tax_identification_number=false", "dba"),
            ("has_customer_type=true", "a"),
            ("billing_entity_codes[]=eu", "c"),
            ("metadata[tier]=gold", "d"),
            ("metadata[tier]=silver", ""),
            ("search_term=", "dcba"),
            ("unknown=1", "dcba"),
            ("search_term=%25", ""),
        ],
    )
    def test_a_list_is_what_is_asked_for_the_newest_first(self, call, query, found):
        answer = call("GET", f"customers?{query}").json()
        assert "".join(row["external_id"] for row in answer["customers"]) == found
        assert answer["meta"]["total_count"] == len(found)

    def test_the_number_of_queries_does_not_grow(self, call, upsert):
        def count():
            with CaptureQueriesContext(connection) as queries:
                call("GET", "customers")
            return len(queries)

        before = count()
        for number in range(5):
            upsert(f"more-{number}")
        assert count() == before


@pytest.mark.usefixtures("clock")
class TestDeleting:
    def test_what_runs_ends_and_what_is_pending_is_canceled(self, call, service, upsert):
        upsert()
        customer = Customer.objects.get()
        running = factories.SubscriptionFactory(customer=customer, service=service)
        ended = factories.SubscriptionFactory(
            customer=customer, service=service, terminated_at=datetime(2026, 3, 1, tzinfo=UTC)
        )
        pending = factories.SubscriptionFactory(
            customer=customer, service=service, started_at=datetime(2027, 1, 1, tzinfo=UTC)
        )
        assert shown(call("DELETE", "customers/acme"))["external_id"] == "acme"
        for row in (running, ended, pending):
            row.refresh_from_db()
        assert (running.terminated_at, running.canceled_at) == (NOW, None)
        assert ended.terminated_at == datetime(2026, 3, 1, tzinfo=UTC)
        assert (pending.terminated_at, pending.canceled_at) == (None, NOW)
        actions = set(AuditRecord.objects.values_list("action", flat=True))
        assert {"customer.delete", "subscription.terminate", "subscription.cancel"} <= actions

    def test_it_is_gone(self, call, upsert):
        upsert()
        call("DELETE", "customers/acme")
        for method in ("GET", "DELETE"):
            gone = call(method, "customers/acme")
            assert (gone.status_code, gone.json()["code"]) == (404, "customer_not_found")
        assert call("GET", "customers").json()["customers"] == []

    def test_posted_again_it_is_the_same_one_with_its_link(self, call, upsert):
        before = shown(upsert(name="Acme"))
        Customer.objects.update(odoo_partner_id=77)
        call("DELETE", "customers/acme")
        again = shown(upsert(city="Ottawa"))
        assert (again["lago_id"], again["name"], again["city"]) == (before["lago_id"], "Acme", "Ottawa")
        customer = Customer.objects.get()
        assert (customer.odoo_partner_id, customer.deleted_at) == (77, None)
        assert AuditRecord.objects.filter(action="customer.restore").exists()


@pytest.mark.usefixtures("clock")
class TestWhatIsLocked:
    """A period that was billed keeps its bounds, and amounts keep their currency."""

    @pytest.fixture
    def subscribe(self, service, upsert):
        def subscribe(started_at, **values):
            upsert(timezone="America/Toronto")
            customer = Customer.objects.get()
            return factories.SubscriptionFactory(
                customer=customer, service=service, started_at=started_at, **values
            )

        return subscribe

    def test_the_time_zone_changes_while_nothing_was_billed(self, subscribe, upsert):
        subscription = subscribe(datetime(2026, 10, 5, tzinfo=UTC))
        factories.BillerTermFactory(
            subscription=subscription, biller=Biller.ODOO, starts_at=datetime(2026, 10, 1, 4, tzinfo=UTC)
        )
        assert shown(upsert(timezone="Asia/Tokyo"))["timezone"] == "Asia/Tokyo"
        assert not subscription.biller_terms.exists(), "the sweep gives one that fits the new periods"

    def test_not_once_a_period_has_ended(self, subscribe, upsert):
        subscribe(datetime(2026, 9, 5, tzinfo=UTC))
        assert refused(upsert(timezone="Asia/Tokyo", name="New")) == {"timezone": ["value_is_locked"]}
        customer = Customer.objects.get()
        assert (customer.timezone, customer.name) == ("America/Toronto", "")
        assert shown(upsert(timezone="America/Toronto", name="New"))["name"] == "New"

    def test_not_once_it_has_a_fee(self, subscribe, upsert):
        factories.FeeFactory(subscription=subscribe(datetime(2026, 10, 5, tzinfo=UTC)))
        assert refused(upsert(timezone="Asia/Tokyo")) == {"timezone": ["value_is_locked"]}

    def test_not_once_it_was_given_back_to_the_service(self, subscribe, upsert):
        factories.BillerTermFactory(
            subscription=subscribe(datetime(2026, 10, 5, tzinfo=UTC)), biller=Biller.SERVICE
        )
        assert refused(upsert(timezone="Asia/Tokyo")) == {"timezone": ["value_is_locked"]}

    def test_a_canceled_subscription_locks_nothing(self, subscribe, upsert):
        subscribe(datetime(2026, 9, 5, tzinfo=UTC), canceled_at=datetime(2026, 9, 1, tzinfo=UTC))
        shown(upsert(timezone="Asia/Tokyo", currency="EUR"))

    def test_the_currency_is_that_of_its_subscriptions(self, subscribe, upsert):
        subscribe(datetime(2026, 10, 5, tzinfo=UTC))
        assert refused(upsert(currency="EUR")) == {"currency": ["currencies_does_not_match"]}
        assert shown(upsert(currency="CAD"))["currency"] == "CAD"


def test_another_services_customer_does_not_exist(call, upsert):
    theirs = factories.CustomerFactory(external_id="theirs")
    for method in ("GET", "DELETE"):
        answer = call(method, "customers/theirs")
        assert (answer.status_code, answer.json()["code"]) == (404, "customer_not_found")
    assert call("GET", "customers").json()["customers"] == []
    assert shown(upsert("theirs"))["lago_id"] != str(theirs.public_id)
    theirs.refresh_from_db()
    assert theirs.deleted_at is None


def test_an_external_id_in_the_address_may_hold_anything(call, upsert):
    upsert("a/b c.d%é")
    assert call("GET", "customers/a%2Fb%20c.d%25%C3%A9").status_code == 200


def test_there_is_no_put(call):
    answer = call("PUT", "customers/acme", {"customer": {}})
    assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")
