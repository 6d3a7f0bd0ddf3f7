"""A service whose customers, plan and charges are linked to a running Odoo stand-in, and somebody who works there."""

from datetime import timedelta
from decimal import Decimal

from django.utils import timezone

from ingest.models import Customer, Fee, FeeKind, Subscription
from reconciliation import mirror, push
from reconciliation.connectors.errors import ConnectorError
from reconciliation.connectors.odoo.transport import OdooRpcTransport
from reconciliation.intents import plan_pushes
from reconciliation.mirror_rows import BILLED, ORDERED, SHELVES
from reconciliation.models import Push
from reconciliation.odoo import connect
from tests import factories
from tests.reconciliation.connectors.odoo.conftest import SETTINGS, BackOffice

LABEL = factories.PERIOD_LABEL
# What pushing and taxing need of the mirror: neither orders nor invoices.
CHART = [shelf for shelf in SHELVES if shelf not in {*ORDERED, *BILLED}]


class OdooWorld:
    """What the tests of pushing and reading back share; amounts in CAD, customers in Ontario."""

    def __init__(self, stand_in):
        self.stand_in = stand_in
        self.office = BackOffice(stand_in.port)
        self.service = factories.ServiceFactory(name="NexaCloud")
        self.plan = factories.PlanFactory(
            service=self.service,
            name="Pro",
            amount=Decimal(99),
            odoo_product_id=self.office.product("Pro", 99),
        )
        product = self.office.product("API calls", 0.0025)
        metrics = [
            factories.MetricFactory(service=self.service, code=code, name=code) for code in ("api", "sto")
        ]
        self.charges = {
            metric.code: factories.ChargeFactory(plan=self.plan, metric=metric, odoo_product_id=product)
            for metric in metrics
        }
        self.partner = self.office.customer("Acme")
        self.mirror_chart()

    def mirror_chart(self):
        """Reads what pushing and taxing need."""
        mirror.sync(connector=self.connector, shelves=CHART, is_compared=False)

    def transport(self, timeout=30):
        """A transport of one's own, to be counted, hurried or cut."""
        return OdooRpcTransport(
            self.stand_in.url, SETTINGS.database, SETTINGS.login, SETTINGS.key, timeout=timeout
        )

    @property
    def connector(self):
        """A new connection, as each run makes one."""
        return connect(self.service)

    def make_customers(self, count):
        """Customers with a subscription each; one partner may be a customer several times."""
        customers = Customer.objects.bulk_create(
            factories.CustomerFactory.build_batch(count, service=self.service, odoo_partner_id=self.partner)
        )
        Subscription.objects.bulk_create(
            factories.SubscriptionFactory.build(customer=customer, plan=self.plan) for customer in customers
        )
        return customers

    def make_customer(self):
        (customer,) = self.make_customers(1)
        return customer

    def make_billed_customer(self):
        """One with 30.86 of API calls, 4.10 of storage and a full plan fee."""
        customer = self.make_customer()
        self.rate(customer, api="30.86", sto="4.10", plan_days=30)
        return customer

    def rate(self, customer, plan_days=None, **amounts):
        """Fees of the period as rating would leave them, by the metric's code."""
        subscription = customer.subscriptions.get()
        for code, amount in amounts.items():
            self.store_fee(subscription, FeeKind.USAGE, self.charges[code], amount, [])
        if plan_days is not None:
            days = [{"base_amount": "99", "billed_days": plan_days, "period_days": 30}]
            self.store_fee(subscription, FeeKind.PLAN, None, "99.00", days)

    def store_fee(self, subscription, kind, charge, amount, details):
        values = {"amount": Decimal(amount), "exact_amount": Decimal(amount), "details": details}
        fees = Fee.objects.filter(subscription=subscription, charge=charge)
        if not fees.update(**values):
            factories.FeeFactory(subscription=subscription, kind=kind, charge=charge, **values)

    def drop(self, customer, code):
        """The fee is rated no longer."""
        fees = Fee.objects.filter(subscription__customer=customer, charge=self.charges[code])
        assert fees.update(amount=0, exact_amount=0, quantity=0, events_count=0) == 1

    def plan_pushes(self, **values):
        return plan_pushes(service=self.service, period_label=LABEL, **{"actor": None, **values})

    def send(self, now=None, connector=None):
        """Claims what is due and attempts it; returns the counts by status."""
        now = now or timezone.now()
        return push.send(
            pushes=push.claim_due(service=self.service, now=now), connector=connector or self.connector
        )

    def push_now(self):
        """Plans and sends; the usual way when nothing goes wrong."""
        self.plan_pushes()
        return self.send()

    def settle(self, now):
        """Settles what is in doubt, as the sweep does."""
        doubtful = push.find_doubtful(service=self.service, now=now)
        push.settle(pushes=doubtful, connector=self.connector)
        return len(doubtful)

    def drain(self, now=None):
        """Sweeps for days from an instant on, until nothing waits and nothing is in doubt."""
        now = now or timezone.now()
        last = now + timedelta(days=30)
        while push.open_pushes(self.service).exists():
            now += timedelta(days=1)
            assert now < last, "the pushes do not settle"
            self.settle(now)
            self.send(now=now)

    def quotations(self):
        """How many quotations and lines Odoo holds."""
        return self.office.count("sale.order"), self.office.count("sale.order.line")

    def held(self, push_row):
        """What Odoo holds of a push: the untaxed amounts by the code that they bill, in cents' text."""
        quotation = self.connector.read_quotations([push_row.key])[push_row.key]
        fees = {fee.public_id.hex: fee for fee in Fee.objects.select_related("charge__metric")}
        return {
            fees[line.external_key].charge.metric.code if fees[line.external_key].charge else "plan": str(
                line.untaxed
            )
            for line in quotation.lines
        }

    def order(self, push_row):
        (order,) = self.office.call("sale.order", "read", [push_row.odoo_id], fields=["name", "state"])
        return order

    def statuses(self, customer):
        """The status of each version, oldest first."""
        return list(
            Push.objects.filter(customer=customer).order_by("version").values_list("status", flat=True)
        )

    def latest(self, customer):
        return Push.objects.filter(customer=customer).latest("version")


def lose_answer():
    """What a transport raises when Odoo did what was asked and the answer did not arrive."""
    raise ConnectorError("outcome_unknown", "lost", "odoo", permanent=False, is_outcome_unknown=True)
