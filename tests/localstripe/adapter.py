"""Answers of localstripe 1.15 in the shapes of Stripe's version 2026-10-28.endive: only shapes, never a figure.

What it changes, and nothing else:

- an invoice's `total` is before the customer balance, and `total_excluding_tax`, `effective_at` and
  `parent.subscription_details` are there;
- a line's `plan`, `proration` and `tax_amounts` are its `pricing`, `parent` and `taxes`, at the rates of the invoice
  where the line has none of its own;
- which intent paid which invoice is told by `invoice_payments`, not by the invoice;
- a charge says what was captured and refunded;
- lists that localstripe lacks are empty, and `created` narrows every list down.
"""

import json
from urllib.parse import parse_qs, urlsplit

import requests

LACKING = {"credit_notes", "disputes"}


class Adapter:
    """Reads localstripe and answers as Stripe does today."""

    def __init__(self, direct, key):
        self.direct, self.key = direct, key

    def answer(self, target, headers):
        """Status and body of a GET."""
        parts = urlsplit(target)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        names = parts.path.removeprefix("/v1/").split("/")
        if headers.get("Authorization") != f"Bearer {self.key}":
            return 401, _error("Invalid API Key")
        if names[0] in LACKING:
            return (200, _list([], query)) if len(names) == 1 else (404, _error("No such object"))
        if names == ["invoice_payments"]:
            return 200, _list(self._payments(query), query)
        status, value = self._read(parts.path)
        if status != 200:
            return status, _error("No such object")
        if len(names) == 1:
            return 200, _list([self._adapt(each) for each in value["data"]], query)
        return 200, json.dumps(self._adapt(value)).encode()

    def _read(self, path):
        is_list = path.count("/") == 2
        params = {"limit": 10_000} if is_list else {}
        response = requests.get(f"{self.direct}{path}", params=params, auth=(self.key, ""), timeout=10)
        return response.status_code, response.json() if response.ok else None

    def _payments(self, query):
        _, invoices = self._read("/v1/invoices")
        return [
            {
                "id": f"inpay_{each['id']}",
                "object": "invoice_payment",
                "amount_paid": each["amount_paid"],
                "created": each["created"],
                "currency": each["currency"],
                "invoice": each["id"],
                "payment": {"type": "payment_intent", "payment_intent": each["payment_intent"]},
                "status": "paid" if each["status"] == "paid" else "open",
            }
            for each in invoices["data"]
            if each["payment_intent"]
            and query.get("payment[payment_intent]", each["payment_intent"]) == each["payment_intent"]
        ]

    def _adapt(self, each):
        adapters = {"invoice": _adapt_invoice, "charge": self._adapt_charge}
        return adapters.get(each["object"], lambda value: value)(each)

    def _adapt_charge(self, charge):
        _, refunds = self._read("/v1/refunds")
        refunded = sum(each["amount"] for each in refunds["data"] if each["charge"] == charge["id"])
        captured = charge["amount"] if charge["captured"] and charge["status"] == "succeeded" else 0
        return {**charge, "amount_captured": captured, "amount_refunded": refunded}


def _adapt_invoice(invoice):
    rates = invoice["default_tax_rates"] or []
    lines = [_adapt_line(line, rates) for line in invoice["lines"]["data"]]
    subscription = {"subscription": invoice["subscription"], "metadata": invoice["metadata"]}
    return {
        **invoice,
        "effective_at": invoice["status_transitions"]["finalized_at"],
        "lines": {**invoice["lines"], "data": lines},
        "parent": {"type": "subscription_details", "subscription_details": subscription},
        "total": invoice["subtotal"] + invoice["tax"],
        "total_excluding_tax": invoice["subtotal"],
    }


def _adapt_line(line, rates):
    kind = "subscription_item_details" if line["type"] == "subscription" else "invoice_item_details"
    plan = line.get("plan") or {}
    taxes = line["tax_amounts"] or [
        {"amount": round(line["amount"] * rate["percentage"] / 100), "inclusive": rate["inclusive"]}
        for rate in rates
    ]
    return {
        **line,
        "parent": {
            "type": kind,
            kind: {"proration": line["proration"], "subscription": line["subscription"]},
        },
        "pricing": {"price_details": {"price": plan.get("id"), "product": plan.get("product")}},
        "taxes": [
            {"amount": tax["amount"], "tax_behavior": "inclusive" if tax["inclusive"] else "exclusive"}
            for tax in taxes
        ],
        "discount_amounts": [],
        "pretax_credit_amounts": [],
    }


def _list(rows, query):
    since, limit, after = (
        int(query.get("created[gte]", 0)),
        int(query.get("limit", 10)),
        query.get("starting_after"),
    )
    rows = [each for each in reversed(rows) if each["created"] >= since]
    begin = next((place for place, each in enumerate(rows, 1) if each["id"] == after), 0) if after else 0
    page = {"object": "list", "data": rows[begin : begin + limit], "has_more": begin + limit < len(rows)}
    return json.dumps(page).encode()


def _error(message):
    return json.dumps({"error": {"type": "invalid_request_error", "message": message}}).encode()
