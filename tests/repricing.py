"""Prices that change: one more version, which holds from the beginning unless a test says otherwise."""

from ingest.models import ChargeModel, ChargeVersion, PlanVersion

PRICE = ("model", "properties", "filters", "is_prorated", "is_pay_in_advance", "min_amount")


def reprice(charge, *, model=ChargeModel.STANDARD, properties=None, **values):
    """One more version of a charge's price."""
    return ChargeVersion.objects.create(
        charge=charge,
        number=charge.versions.count() + 1,
        model=model,
        properties={"amount": "0.05"} if properties is None else properties,
        **values,
    )


def reprice_plan(plan, **values):
    """One more version of what a plan costs."""
    return PlanVersion.objects.create(plan=plan, number=plan.versions.count() + 1, **values)
