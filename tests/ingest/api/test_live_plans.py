"""Plans as the official Python client, unmodified, makes, reads, changes and deletes them."""

import pytest
from lago_python_client import Client
from lago_python_client.exceptions import LagoApiError
from lago_python_client.models import (
    Charge,
    ChargeFilter,
    ChargeFilters,
    Charges,
    MinimumCommitment,
    Plan,
)

from ingest.keys import create_key
from ingest.models import ChargeVersion, PlanVersion
from tests import factories

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def service(transactional_db):
    return factories.ServiceFactory()


@pytest.fixture
def lago(service, port):
    """The official client, told nothing but another address and another key."""
    key = create_key(service=service, name="live", actor=None).key
    return Client(api_key=key, api_url=f"http://127.0.0.1:{port}")


def make_plan(metric, **values):
    """As the client's documentation makes one, whatever is not said being sent as null."""
    filters = [
        ChargeFilter(values={"region": ["eu"]}, properties={"amount": "0.01"}, invoice_display_name="EU")
    ]
    package = {"amount": "30", "free_units": 100, "package_size": 1000}
    charges = [
        Charge(
            billable_metric_id=str(metric.public_id),
            charge_model="standard",
            properties={"amount": "0.22", "pricing_group_keys": ["team"]},
            filters=ChargeFilters(__root__=filters),
        ),
        Charge(
            billable_metric_id=str(metric.public_id), charge_model="package", properties=package, code="pack"
        ),
    ]
    return Plan(
        **{
            "name": "Startup",
            "code": "startup",
            "interval": "monthly",
            "amount_cents": 4900,
            "amount_currency": "EUR",
            "pay_in_advance": False,
            "trial_period": 3.0,
            "minimum_commitment": MinimumCommitment(amount_cents=10000),
            "charges": Charges(__root__=charges),
        }
        | values
    )


def test_the_official_client_keeps_a_plan(lago, service):
    metric = factories.MetricFactory(service=service, filters={"region": ["eu", "us"]})
    made = lago.plans.create(make_plan(metric))
    assert (made.amount_cents, made.trial_period, made.minimum_commitment.amount_cents) == (4900, 3.0, 10000)
    first, second = made.charges.__root__
    assert first.properties["grouped_by"] == ["team"]
    assert first.filters.__root__[0].values == {"region": ["eu"]}
    assert (second.code, second.properties["package_size"]) == ("pack", 1000)

    assert lago.plans.find("startup") == made
    assert lago.plans.find_all()["plans"] == [made]
    assert lago.plans.update(make_plan(metric), "startup") == made
    assert (PlanVersion.objects.count(), ChargeVersion.objects.count()) == (1, 2)

    changed = lago.plans.update(Plan(amount_cents=5900), "startup")
    assert (changed.amount_cents, changed.charges) == (5900, made.charges)
    with pytest.raises(LagoApiError) as refused:
        lago.plans.create(make_plan(metric))
    assert refused.value.response["error_details"] == {"code": ["value_already_exist"]}

    assert lago.plans.destroy("startup").code == "startup"
    with pytest.raises(LagoApiError) as gone:
        lago.plans.find("startup")
    assert (gone.value.status_code, gone.value.response["code"]) == (404, "plan_not_found")
