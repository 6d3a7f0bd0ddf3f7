"""What would this cost? A page that asks the functions that rate in production; it stores nothing."""

import json
from decimal import Decimal
from typing import Any

from django import forms
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils import timezone
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from ingest.computed import tabulate
from ingest.models import Charge, ChargeModel
from ingest.price_check.answering import answer
from ingest.price_check.errors import PriceCheckError
from ingest.prices import current

LONGEST = 20_000


class PriceCheckForm(forms.Form):
    """A charge as it is priced now, or a price of one's own; and what is used."""

    charge = forms.ModelChoiceField(
        Charge.objects.filter(deleted_at=None, plan__deleted_at=None).select_related("metric", "plan"),
        required=False,
        empty_label="none: the price typed below",
        widget=UnfoldAdminSelectWidget,
        help_text="Its newest price is asked, unless a price is typed below.",
    )
    charge_model = forms.ChoiceField(
        choices=[("", "of the charge"), *ChargeModel.choices], required=False, widget=UnfoldAdminSelectWidget
    )
    properties = forms.CharField(
        required=False,
        max_length=LONGEST,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 8}),
        help_text='As in Lago, amounts as decimal strings: {"amount": "0.05"}.',
    )
    currency = forms.RegexField(
        "^[A-Z]{3}$", required=False, initial="CAD", widget=UnfoldAdminTextInputWidget, help_text="ISO 4217"
    )
    units = forms.CharField(
        max_length=1_000, widget=UnfoldAdminTextInputWidget, help_text="What is used in the period."
    )
    events_count = forms.IntegerField(
        required=False,
        min_value=0,
        max_value=10**12,
        widget=UnfoldAdminTextInputWidget,
        help_text="For a price that looks at events; else left empty.",
    )
    event_values = forms.CharField(
        required=False,
        max_length=LONGEST,
        widget=UnfoldAdminTextInputWidget,
        help_text="What the single events are worth, in time order: 10, 80, 10000.",
    )

    def clean_properties(self) -> dict[str, Any]:
        """The typed price as an object; empty for none."""
        text = self.cleaned_data["properties"].strip()
        try:
            properties = json.loads(text, parse_float=Decimal) if text else {}
        except (ValueError, RecursionError) as error:
            raise forms.ValidationError("This is no JSON: %(error)s", params={"error": str(error)}) from error
        if not isinstance(properties, dict):
            raise forms.ValidationError('A price is an object, such as {"amount": "0.05"}.')
        return properties

    def make_case(self) -> dict[str, Any]:
        """The question in the shape that `manage.py rate` reads."""
        data = self.cleaned_data
        version = _newest_version(data["charge"]) if data["charge"] else None
        currency = data["currency"] or (data["charge"].plan.currency if data["charge"] else "CAD")
        given: dict[str, Any] = {"units": data["units"].strip(), "currency": currency}
        values = [
            value for value in data["event_values"].replace(";", ",").replace(",", " ").split() if value
        ]
        if values:
            given["event_values"] = values
        if data["events_count"] is not None:
            given["events_count"] = data["events_count"]
        return {
            "kind": "charge_model",
            "charge_model": data["charge_model"] or (version.model if version else ChargeModel.STANDARD),
            "properties": data["properties"] or (version.properties if version else {}),
            "input": given,
        }


def show_price_check(request: HttpRequest, *, screen: Any) -> TemplateResponse:
    """The form, and what was asked costs; the address holds the whole question."""
    is_asked = "units" in request.GET
    form = PriceCheckForm(request.GET if is_asked else None)
    context: dict[str, Any] = {
        **screen.admin_site.each_context(request),
        "content_title": "Price check",
        "title": "Price check",
        "form": form,
        "media": screen.media + form.media,
    }
    if is_asked and form.is_valid():
        case = form.make_case()
        try:
            context |= _show_answer(case)
        except PriceCheckError as error:
            form.add_error(None, str(error))
    return TemplateResponse(request, "admin/price_check.html", context)


def _show_answer(case: dict[str, Any]) -> dict[str, Any]:
    figures = answer(case)
    details = figures["details"]
    return {
        "figures": figures,
        "currency": case["input"]["currency"],
        "computed": tabulate((), details if isinstance(details, list) else [details] if details else []),
        "question": json.dumps({"cases": [{"id": "asked", **case}]}, indent=1, default=str),
    }


def _newest_version(charge: Charge) -> Any:
    return current(list(charge.versions.order_by("effective_from", "number")), timezone.now())
