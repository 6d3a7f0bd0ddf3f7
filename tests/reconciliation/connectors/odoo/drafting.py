"""Drafts for tests, as a reader would write them down."""

from decimal import Decimal

from reconciliation.connectors.odoo.drafts import PlanLine, QuotationDraft, UsageLine


def usage(key, amount, product_id=3):
    return UsageLine(key, product_id, f"{key} 2026-10", Decimal(amount))


def plan(key, quantity="1", product_id=4):
    return PlanLine(key, product_id, f"{key} 2026-10", Decimal(quantity))


def draft(key, *lines, partner_id=7531, company_id=1, pricelist_id=3):
    return QuotationDraft(
        key=key,
        partner_id=partner_id,
        company_id=company_id,
        pricelist_id=pricelist_id,
        reference=f"NexaCloud 2026-10 {key}",
        usage_lines=tuple(line for line in lines if isinstance(line, UsageLine)),
        plan_lines=tuple(line for line in lines if isinstance(line, PlanLine)),
    )


class Shop:
    """A customer, a usage product and a plan in Odoo, and drafts that name them."""

    def __init__(self, back_office):
        self.back_office = back_office
        self.usage_product = back_office.product("API calls", 0.0025)
        self.plan_product = back_office.product("Pro plan", 99)
        self.customer = back_office.customer()
        self.pricelist = back_office.pricelist("CAD")

    def usage(self, key, amount):
        return usage(key, amount, product_id=self.usage_product)

    def plan(self, key, quantity="1"):
        return plan(key, quantity, product_id=self.plan_product)

    def draft(self, key="k1", *lines, **values):
        ours = {"partner_id": self.customer, "pricelist_id": self.pricelist, "company_id": 1}
        return draft(key, *lines, **(ours | values))

    def usual(self, key="k1", **values):
        lines = (self.usage("api", "30.86"), self.usage("sto", "4.10"), self.plan("base"))
        return self.draft(key, *lines, **values)

    def bad(self, key):
        return self.usual(key, partner_id=99999999)

    def quotations(self):
        return self.back_office.count("sale.order"), self.back_office.count("sale.order.line")
