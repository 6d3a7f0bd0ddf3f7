"""What if a closed period had had another price? A page beside a charge; it stores and pushes nothing."""

import json
from decimal import Decimal, InvalidOperation
from typing import Any

from django import forms
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils import timezone
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from ingest.errors import DomainError
from ingest.metering.arithmetic import ExactnessError
from ingest.metering.periods import PeriodLabelError
from ingest.models import Charge, ChargeModel, ChargeVersion
from ingest.what_if import compare_price

LONGEST = 20_000
OWN = "of the chosen version"
MOST_DIGITS = 100


class WhatIfForm(forms.Form):
    """A closed period and another price: a version that there is, or one with other terms."""

    period = forms.CharField(
        max_length=16, widget=UnfoldAdminTextInputWidget, help_text="A closed one, such as 2026-09."
    )
    version = forms.ModelChoiceField(
        ChargeVersion.objects.none(),
        empty_label=None,
        widget=UnfoldAdminSelectWidget,
        help_text="The price to rate with. What is given below stands in its place.",
    )
    charge_model = forms.ChoiceField(
        choices=[("", OWN), *ChargeModel.choices], required=False, widget=UnfoldAdminSelectWidget
    )
    properties = forms.CharField(
        required=False,
        max_length=LONGEST,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 6}),
        help_text='As in Lago, amounts as decimal strings: {"amount": "0.05"}. Empty: those of the version.',
    )
    filters = forms.CharField(
        required=False,
        max_length=LONGEST,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        help_text='Prices of their own: [{"values": {"region": ["eu"]}, "properties": {"amount": "0.04"}}].'
        " Empty: those of the version; [] for none.",
    )
    min_amount = forms.CharField(
        required=False,
        max_length=MOST_DIGITS,
        label="Minimum",
        widget=UnfoldAdminTextInputWidget,
        help_text="What a full period costs at least. Empty: that of the version.",
    )
    customer = forms.CharField(
        required=False,
        max_length=255,
        widget=UnfoldAdminTextInputWidget,
        help_text="One customer's external id; empty for all who have the plan.",
    )

    def __init__(self, *args: Any, charge: Charge, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        versions: Any = self.fields["version"]
        versions.queryset = charge.versions.order_by("-effective_from", "-number")
        versions.label_from_instance = _label_version

    def clean_properties(self) -> dict[str, Any] | None:
        """The typed price as an object; None for none."""
        return _read_json(self.cleaned_data["properties"], dict, 'a price is an object: {"amount": "0.05"}')

    def clean_filters(self) -> list[Any] | None:
        """The typed filters as a list of objects; None for none."""
        found = _read_json(self.cleaned_data["filters"], list, "filters are a list of objects")
        if found is not None and not all(_is_filter(item) for item in found):
            raise forms.ValidationError('Each filter is an object with "values" and "properties".')
        return found

    def clean_min_amount(self) -> Decimal | None:
        """The typed minimum; None for none."""
        text = self.cleaned_data["min_amount"].strip()
        try:
            amount = Decimal(text) if text else None
        except InvalidOperation as error:
            raise forms.ValidationError("A minimum is a number of zero or more, such as 20.00.") from error
        if amount is not None and not (
            amount.is_finite() and amount >= 0 and abs(amount.adjusted()) <= MOST_DIGITS
        ):
            raise forms.ValidationError("A minimum is a number of zero or more, such as 20.00.")
        return amount

    def make_version(self) -> ChargeVersion:
        """The price to rate with, never saved: the version's terms with what was given in their place."""
        data, version = self.cleaned_data, self.cleaned_data["version"]
        given = {
            "model": data["charge_model"] or None,
            "properties": data["properties"],
            "filters": data["filters"],
            "min_amount": data["min_amount"],
        }
        kept = ("charge", "number", "model", "properties", "filters", "is_prorated", "is_pay_in_advance")
        terms = {name: getattr(version, name) for name in (*kept, "min_amount")}
        return ChargeVersion(**terms | {name: value for name, value in given.items() if value is not None})


def show_what_if(request: HttpRequest, *, screen: Any, charge: Charge) -> TemplateResponse:
    """The form, and both prices' fees side by side; the address holds the whole question."""
    is_asked = "period" in request.GET
    form = WhatIfForm(request.GET if is_asked else None, charge=charge)
    context: dict[str, Any] = {
        **screen.admin_site.each_context(request),
        "opts": screen.opts,
        "title": f"What if: {charge}",
        "charge": charge,
        "form": form,
        "media": screen.media + form.media,
    }
    if is_asked and form.is_valid():
        context |= _answer(form, charge)
    return TemplateResponse(request, "admin/what_if.html", context)


def _answer(form: WhatIfForm, charge: Charge) -> dict[str, Any]:
    period = form.cleaned_data["period"].strip()
    try:
        found = compare_price(
            charge=charge,
            version=form.make_version(),
            period_label=period,
            now=timezone.now(),
            customer_id=form.cleaned_data["customer"].strip(),
        )
    except PeriodLabelError:
        form.add_error("period", "This is no period, such as 2026-09.")
        return {}
    except (DomainError, ExactnessError) as error:
        form.add_error(None, str(error))
        return {}
    return {"found": found, "period": period}


def _label_version(version: ChargeVersion) -> str:
    return f"version {version.number}, {version.get_model_display()}, from {version.effective_from:%Y-%m-%d}"


def _read_json(text: str, kind: type, expected: str) -> Any:
    """The typed document, its numbers with a point as exact text; None for none."""
    try:
        found = json.loads(text, parse_float=str) if text.strip() else None
        # Neither a lone half of a pair nor U+0000 could be asked of the database.
        if b"\\u0000" in json.dumps(found, ensure_ascii=False).encode():
            raise ValueError("U+0000 cannot be kept.")
    except (ValueError, RecursionError) as error:
        raise forms.ValidationError("This is no JSON: %(error)s", params={"error": str(error)}) from error
    if found is not None and not isinstance(found, kind):
        raise forms.ValidationError(f"This is not what it should be: {expected}.")
    return found


def _is_filter(item: Any) -> bool:
    return (
        isinstance(item, dict)
        and isinstance(item.get("properties"), dict)
        and isinstance(item.get("values"), dict)
        and all(isinstance(values, list) for values in item["values"].values())
    )
