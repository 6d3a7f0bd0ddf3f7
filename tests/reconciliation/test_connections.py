"""Named connections: made, changed and given to services; a service is spoken for with its own Odoo and key."""

import pytest
from django.core.exceptions import ValidationError

from billing_console.demo.odoo_standin.server import start
from billing_console.demo.odoo_standin.settings import Settings
from ingest.errors import DomainError
from ingest.models import AuditRecord, Fee
from reconciliation import connections, runs
from reconciliation.connectors.errors import ConnectorError
from reconciliation.connectors.odoo.drafts import QuotationDraft
from reconciliation.connectors.odoo.transport import TransportKind
from reconciliation.models import (
    ConnectionTransport,
    OdooConnection,
    OdooInvoice,
    OdooOrder,
    OdooPartner,
    RunKind,
    ServiceConnection,
)
from reconciliation.odoo import company_of, connect, connect_to, connection_of, read_billers
from reconciliation.secrets import decrypt, encrypt
from reconciliation.work import do_work
from tests import factories

pytestmark = pytest.mark.django_db

VALUES = {
    "name": "Europe",
    "url": "https://eu.odoo.example.com",
    "database": "eu",
    "login": "console",
    "company_id": 3,
    "language": "fr_FR",
    "transport": "json2",
}
KEY = "a-key-that-must-not-show"


def test_the_transports_to_choose_from_are_those_that_there_are():
    assert ConnectionTransport.values == list(TransportKind)


class TestMaking:
    def test_it_is_kept_with_its_key_encrypted_and_audited_without_it(self, operator):
        connection = connections.create_connection(values=VALUES, api_key=KEY, actor=operator)
        assert decrypt(bytes(OdooConnection.objects.get().secret)) == KEY
        record = AuditRecord.objects.get()
        assert (record.action, record.actor, record.after) == ("connection.create", operator, VALUES)
        assert KEY not in f"{connection!r}{record.after}"

    @pytest.mark.parametrize(
        ("values", "key", "code"),
        [({}, "", "key_required"), ({"url": "odoo.example.com"}, KEY, "wrong_address")],
    )
    def test_what_cannot_work_is_refused(self, operator, values, key, code):
        with pytest.raises(DomainError) as caught:
            connections.create_connection(values={**VALUES, **values}, api_key=key, actor=operator)
        assert caught.value.code == code
        assert not OdooConnection.objects.exists()

    @pytest.mark.parametrize("values", [{"transport": "pigeon"}, {"company_id": 0}, {"name": ""}])
    def test_a_value_that_is_no_value_is_refused(self, operator, values):
        with pytest.raises(ValidationError):
            connections.create_connection(values={**VALUES, **values}, api_key=KEY, actor=operator)

    @pytest.mark.parametrize("person", ["finance", "manager", "auditor"], indirect=True)
    def test_only_operators_make_or_change_one(self, person):
        connection = factories.OdooConnectionFactory()
        for attempt in (
            lambda: connections.create_connection(values=VALUES, api_key=KEY, actor=person),
            lambda: connections.change_connection(connection_id=connection.pk, values={}, actor=person),
        ):
            with pytest.raises(DomainError, match="may not"):
                attempt()
        assert not AuditRecord.objects.exists()


class TestChanging:
    def test_an_empty_key_keeps_the_one_that_is_there(self, operator):
        connection = factories.OdooConnectionFactory(secret=encrypt(KEY))
        changed = connections.change_connection(
            connection_id=connection.pk, values={"language": "fr_FR"}, actor=operator
        )
        connection.refresh_from_db()
        assert (changed, connection.language, decrypt(bytes(connection.secret))) == (
            ["language"],
            "fr_FR",
            KEY,
        )
        assert AuditRecord.objects.get().before == {"language": "en_US"}

    def test_a_replaced_key_is_told_as_replaced_and_never_as_itself(self, operator):
        connection = factories.OdooConnectionFactory()
        connections.change_connection(
            connection_id=connection.pk, values={}, api_key="another-key", actor=operator
        )
        connection.refresh_from_db()
        assert decrypt(bytes(connection.secret)) == "another-key"
        assert AuditRecord.objects.get().after == {"api_key": "replaced"}

    def test_a_kept_key_is_not_sent_to_another_address(self, operator):
        connection = factories.OdooConnectionFactory(secret=encrypt(KEY))
        elsewhere = {"url": "https://elsewhere.example"}
        with pytest.raises(DomainError) as refused:
            connections.change_connection(connection_id=connection.pk, values=elsewhere, actor=operator)
        assert refused.value.code == "key_required"
        assert not AuditRecord.objects.exists()
        connections.change_connection(
            connection_id=connection.pk, values=elsewhere, api_key="another-key", actor=operator
        )
        connection.refresh_from_db()
        assert (connection.url, decrypt(bytes(connection.secret))) == (elsewhere["url"], "another-key")

    def test_nothing_changed_is_nothing_audited(self, operator):
        connection = factories.OdooConnectionFactory()
        assert not connections.change_connection(
            connection_id=connection.pk, values={"name": connection.name}, actor=operator
        )
        assert not AuditRecord.objects.exists()


class TestGiving:
    def test_a_service_is_given_one_and_goes_back_to_the_environments(self, operator, settings):
        settings.ODOO_COMPANY_ID = 1
        service = factories.ServiceFactory()
        connection = factories.OdooConnectionFactory(company_id=3)
        assert connections.assign_connection(service=service, connection=connection, actor=operator)
        assert not connections.assign_connection(service=service, connection=connection, actor=operator)
        service.refresh_from_db()
        assert (connection_of(service), company_of(service)) == (connection, 3)
        service.odoo_company_id = 5
        assert company_of(service) == 5
        assert connections.assign_connection(service=service, connection=None, actor=operator)
        service = type(service).objects.get()
        assert (connection_of(service), company_of(service)) == (None, 1)
        assert [record.after for record in AuditRecord.objects.order_by("pk")] == [
            {"connection": connection.name},
            {"connection": ""},
        ]

    @pytest.mark.parametrize(
        "link",
        [
            lambda service: factories.CustomerFactory(service=service, odoo_partner_id=7),
            lambda service: factories.PlanFactory(service=service, odoo_product_id=7),
            lambda service: factories.PushFactory(customer=factories.CustomerFactory(service=service)),
        ],
        ids=["a customer", "a plan", "a push"],
    )
    def test_a_linked_service_stays_where_its_links_lead(self, operator, link):
        service = factories.ServiceFactory()
        link(service)
        with pytest.raises(DomainError) as caught:
            connections.assign_connection(
                service=service, connection=factories.OdooConnectionFactory(), actor=operator
            )
        assert caught.value.code == "service_is_linked"
        assert not ServiceConnection.objects.exists()


class TestOneMirror:
    """The mirror knows records by their ids alone: it never mixes two Odoos."""

    def test_what_is_mirrored_at_night_is_the_odoo_that_services_are_linked_to(self):
        assert connections.mirrored_for() == [None]
        named = factories.ServiceConnectionFactory()
        factories.ServiceConnectionFactory(connection=named.connection)
        assert connections.mirrored_for() == [named.service]
        beside = factories.ServiceFactory()
        assert connections.mirrored_for() == [None, named.service]
        factories.CustomerFactory(service=named.service, odoo_partner_id=7)
        assert connections.mirrored_for() == [named.service]
        assert connection_of(beside) is None

    def test_another_odoo_is_neither_used_nor_mirrored_beside_linked_services(self, operator, world):
        named = factories.ServiceConnectionFactory()
        partners = OdooPartner.objects.count()
        run = runs.perform(runs.start_run(kind=RunKind.SYNC, service=named.service), do_work)
        assert (run.status, "NexaCloud is linked to the environment’s Odoo" in run.message) == (
            "failed",
            True,
        )
        with pytest.raises(DomainError) as caught:
            connections.assign_connection(
                service=factories.ServiceFactory(), connection=named.connection, actor=operator
            )
        assert caught.value.code == "mirror_is_anothers"
        assert OdooPartner.objects.count() == partners > 0

    def test_a_mirror_that_services_are_linked_into_stays(self, operator):
        named = factories.ServiceConnectionFactory()
        factories.CustomerFactory(service=named.service, odoo_partner_id=7)
        factories.OdooPartnerFactory(odoo_id=7)
        beside = factories.ServiceFactory()
        assert connections.assign_connection(service=beside, connection=named.connection, actor=operator)
        assert OdooPartner.objects.get().odoo_id == 7

    def test_what_was_mirrored_of_the_odoo_before_is_forgotten(self, operator):
        for make in (factories.OdooOrderFactory, factories.OdooInvoiceFactory, factories.OdooPartnerFactory):
            make()
        connections.assign_connection(
            service=factories.ServiceFactory(), connection=factories.OdooConnectionFactory(), actor=operator
        )
        assert not any(model.objects.exists() for model in (OdooOrder, OdooInvoice, OdooPartner))


class TestConnecting:
    def test_each_service_reaches_its_own_odoo(self, settings):
        there = Settings(database="eu", login="robot", key="eu-key")
        with start() as here, start(there) as elsewhere:
            settings.ODOO_URL, settings.ODOO_DB = here.url, "odoo19-demo"
            settings.ODOO_LOGIN, settings.ODOO_API_KEY = "console", "demo-key"
            named = factories.ServiceConnectionFactory(
                connection__url=elsewhere.url,
                connection__database="eu",
                connection__login="robot",
                connection__secret=encrypt("eu-key"),
                connection__transport="json2",
            )
            assert connect(named.service).probe().login == "robot"
            assert connect(factories.ServiceFactory()).probe().login == "console"
            assert connect().probe().login == "console"
            assert elsewhere.state["calls"] == {"res.company.search_read": 1}

    def test_company_and_language_are_always_sent(self, settings, monkeypatch):
        sent = []
        monkeypatch.setattr(
            "reconciliation.connectors.odoo.json2.Json2Transport.execute",
            lambda _self, _model, _method, _args, kwargs: sent.append(kwargs["context"]) or [],
        )
        connection = factories.OdooConnectionFactory(transport="json2", company_id=3, language="fr_FR")
        list(connect_to(connection).read_companies())
        list(connect_to(connection, company_id=4).read_companies())
        assert sent == [
            {"allowed_company_ids": [3], "lang": "fr_FR"},
            {"allowed_company_ids": [4], "lang": "fr_FR"},
        ]

    def test_a_key_that_another_secret_encrypted_says_what_to_do(self, settings):
        connection = factories.OdooConnectionFactory()
        settings.SECRETS_KEY = "another"
        with pytest.raises(DomainError, match="Set the key again") as caught:
            connect_to(connection)
        assert caught.value.code == "secret_unreadable"


class TestTheGuardsQuestion:
    """Each connector that the console makes asks who bills before it writes a line."""

    def test_a_period_that_odoo_bills_since_the_push_was_claimed_is_not_written(self, world):
        customer = world.make_billed_customer()
        world.plan_pushes()
        draft = QuotationDraft.from_payload(world.latest(customer).payload)
        factories.BillerTermFactory(
            subscription=customer.subscriptions.get(), biller="odoo", starts_at=factories.PERIOD_START
        )
        with pytest.raises(ConnectorError) as caught:
            world.connector.write_quotations([draft])
        assert (caught.value.code, caught.value.permanent) == ("billed_by_odoo", False)
        assert world.quotations() == (1, 0)  # a header, which bills nothing

    def test_a_line_of_no_fee_is_not_written(self, world):
        customer = world.make_billed_customer()
        world.plan_pushes()
        draft = QuotationDraft.from_payload(world.latest(customer).payload)
        Fee.objects.filter(subscription__customer=customer).delete()
        with pytest.raises(ConnectorError, match="not known who bills it"):
            world.connector.write_quotations([draft])
        assert read_billers(draft.line_keys | {"api", "x" * 32}) == {}
