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
