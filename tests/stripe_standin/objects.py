"""Objects in the shapes of Stripe's API reference, version 2026-10-28.endive, cut to what anybody reads."""

from datetime import UTC, datetime

ACCOUNT = "acct_1NexaSystems"
OCTOBER, NOVEMBER, DECEMBER = (
    # Midnights in Toronto; the clock changes in between.
    int(datetime.fromisoformat(f"2026-{month}-01T00:00:00-0{offset}:00").timestamp())
    for month, offset in (("10", 4), ("11", 4), ("12", 5))
)
NOON = 12 * 3600


def at(text):
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


def line(
    id_, amount, *, start=OCTOBER, end=NOVEMBER, currency="cad", tax=0, inclusive=0, discount=0, **values
):
    """A line of a subscription; `tax` comes on top, `inclusive` is in the amount."""
    taxes = [("exclusive", tax), ("inclusive", inclusive)]
    proration = values.pop("proration", False)
    price, product = values.pop("price", "price_team"), values.pop("product", "prod_cloud")
    subscription = values.pop("subscription", "sub_1")
    details = {"proration": proration, "proration_details": None, "subscription": subscription}
    parent = {
        "type": "subscription_item_details",
        "subscription_item_details": {**details, "invoice_item": None, "subscription_item": "si_1"},
        "invoice_item_details": None,
    }
    if values.pop("one_time", False):
        parent = {
            "type": "invoice_item_details",
            "invoice_item_details": {**details, "invoice_item": "ii_1"},
            "subscription_item_details": None,
        }
    return {
        "id": id_,
        "object": "line_item",
        "amount": amount,
        "subtotal": amount,
        "currency": currency,
        "description": values.pop("description", "Team plan"),
        "discount_amounts": [{"amount": discount, "discount": "di_1"}] if discount else [],
        "pretax_credit_amounts": (
            [{"amount": discount, "discount": "di_1", "type": "discount"}] if discount else []
        ),
        "discountable": True,
        "discounts": [],
        "livemode": False,
        "metadata": {},
        "parent": parent,
        "period": {"start": start, "end": end},
        "pricing": {
            "type": "price_details",
            "price_details": {"price": price, "product": product},
            "unit_amount_decimal": str(amount),
        },
        "quantity": 1,
        "quantity_decimal": "1",
        "taxes": [_tax(behaviour, each) for behaviour, each in taxes if each],
        **values,
    }


def invoice(id_, lines, *, created=NOVEMBER + NOON, status="paid", customer="cus_acme", **values):
    """An invoice whose totals are those of its lines."""
    totals = [_totals(each) for each in lines]
    untaxed, tax = sum(each[0] for each in totals), sum(each[1] for each in totals)
    return {
        "id": id_,
        "object": "invoice",
        "created": created,
        "currency": lines[0]["currency"] if lines else "cad",
        "customer": customer,
        "effective_at": created,
        "ending_balance": 0,
        "issuer": {"type": "self"},
        "lines": {
            "object": "list",
            "data": lines,
            "has_more": False,
            "url": f"/v1/invoices/{id_}/lines",
        },
        "livemode": False,
        "metadata": {},
        "number": f"N-{id_[3:]}",
        "parent": {
            "type": "subscription_details",
            "subscription_details": {"metadata": {"service": "nexacloud"}, "subscription": "sub_1"},
        },
        "starting_balance": 0,
        "status": status,
        "status_transitions": {"finalized_at": created, "paid_at": None, "voided_at": None},
        "subtotal": sum(each["amount"] for each in lines),
        "total": untaxed + tax,
        "total_excluding_tax": untaxed,
        "total_taxes": [],
        "hosted_invoice_url": "https://invoice.stripe.com/i/secret",
        **values,
    }


def credit_note(id_, invoice_id, lines, *, created=NOVEMBER + 2 * NOON, status="issued", **values):
    """A credit note; its amounts are positive, as Stripe's are."""
    untaxed = sum(_totals(each)[0] for each in lines)
    tax = sum(_totals(each)[1] for each in lines)
    return {
        "id": id_,
        "object": "credit_note",
        "amount": untaxed + tax,
        "created": created,
        "currency": "cad",
        "customer": "cus_acme",
        "effective_at": created,
        "invoice": invoice_id,
        "lines": {"object": "list", "data": lines, "has_more": False, "url": ""},
        "livemode": False,
        "number": f"N-{invoice_id[3:]}-CN-01",
        "refunds": [],
        "status": status,
        "total": untaxed + tax,
        "total_excluding_tax": untaxed,
        "type": "post_payment",
        **values,
    }


def credit_line(id_, amount, *, of="", tax=0):
    return {
        "id": id_,
        "object": "credit_note_line_item",
        "amount": amount,
        "description": "Credit",
        "discount_amount": 0,
        "discount_amounts": [],
        "invoice_line_item": of or None,
        "pretax_credit_amounts": [],
        "quantity": 1,
        "taxes": [_tax("exclusive", tax)] if tax else [],
        "type": "invoice_line_item" if of else "custom_line_item",
    }


def charge(id_, amount, *, created=NOVEMBER + NOON, refunded=0, currency="cad", **values):
    return {
        "id": id_,
        "object": "charge",
        "amount": amount,
        "amount_captured": amount,
        "amount_refunded": refunded,
        "captured": True,
        "created": created,
        "currency": currency,
        "customer": "cus_acme",
        "description": None,
        "disputed": False,
        "livemode": False,
        "metadata": {},
        "payment_intent": f"pi_{id_[3:]}",
        "statement_descriptor": None,
        "calculated_statement_descriptor": "NEXA SYSTEMS",
        "status": "succeeded",
        **values,
    }


def payment(id_, invoice_id, intent, amount, *, created=NOVEMBER + NOON):
    """Which intent paid which invoice."""
    return {
        "id": id_,
        "object": "invoice_payment",
        "amount_paid": amount,
        "amount_requested": amount,
        "created": created,
        "currency": "cad",
        "invoice": invoice_id,
        "is_default": True,
        "livemode": False,
        "payment": {"type": "payment_intent", "payment_intent": intent},
        "status": "paid",
    }


def refund(id_, charge_id, amount, *, created=NOVEMBER + 2 * NOON):
    return {
        "id": id_,
        "object": "refund",
        "amount": amount,
        "charge": charge_id,
        "created": created,
        "currency": "cad",
        "payment_intent": f"pi_{charge_id[3:]}",
        "status": "succeeded",
    }


def dispute(id_, charge_id, amount, *, created=NOVEMBER + 3 * NOON):
    return {
        "id": id_,
        "object": "dispute",
        "amount": amount,
        "charge": charge_id,
        "created": created,
        "currency": "cad",
        "livemode": False,
        "reason": "fraudulent",
        "status": "needs_response",
    }


def customer(id_, *, created=OCTOBER):
    return {
        "id": id_,
        "object": "customer",
        "created": created,
        "currency": "cad",
        "email": None,
        "livemode": False,
    }


def event(id_, type_, about, *, created=NOVEMBER + 4 * NOON, **values):
    """An event with a snapshot of its object, which may be old by the time it is read."""
    return {
        "id": id_,
        "object": "event",
        "api_version": "2019-05-16",
        "created": created,
        "data": {"object": about},
        "livemode": False,
        "pending_webhooks": 1,
        "type": type_,
        **values,
    }


def _tax(behaviour, amount):
    return {
        "amount": amount,
        "tax_behavior": behaviour,
        "tax_rate_details": {"tax_rate": "txr_hst"},
        "taxability_reason": "standard_rated",
        "taxable_amount": None,
        "type": "tax_rate_details",
    }


def _totals(each):
    taxes = {"exclusive": 0, "inclusive": 0}
    for tax in each["taxes"]:
        taxes[tax["tax_behavior"]] += tax["amount"]
    discount = sum(entry["amount"] for entry in each["discount_amounts"])
    return each["amount"] - discount - taxes["inclusive"], sum(taxes.values())
