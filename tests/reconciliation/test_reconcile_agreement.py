"""The statement that judges a period agrees with the pure room, for any sides and any tolerance."""

from decimal import Decimal

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconciliation.comparison import judgement
from reconciliation.comparison.tolerance import Tolerance
from tests import factories
from tests.reconciliation.sides import NOW, expect, external, judge, odoo, row_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def customer():
    return factories.CustomerFactory()


class TestAgreementWithThePureRoom:
    MONEY = st.decimals(-200, 200, places=2, allow_nan=False).map(lambda value: value.normalize() + 0)
    STATED = st.one_of(
        st.none(),
        st.tuples(MONEY, st.none(), st.none()),
        st.tuples(st.none(), st.none(), MONEY),
        st.tuples(MONEY, MONEY).map(lambda both: (*both, sum(both))),
    )
    TAXED = st.one_of(st.none(), st.tuples(MONEY, MONEY).map(lambda both: (*both, sum(both))))
    LIMITS = st.one_of(
        st.none(),
        st.tuples(
            st.sampled_from(["0", "0.01", "5"]),
            st.sampled_from(["0", "0.001", "0.5"]),
            st.sampled_from([None, "0", "2", "50"]),
        ),
    )

    CASES = st.fixed_dictionaries(
        {
            "odoo": TAXED,
            "external": STATED,
            "limits": LIMITS,
            "is_linked": st.booleans(),
            "is_stale": st.booleans(),
            "has_other_currency": st.booleans(),
        }
    )

    @settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(case=CASES)
    def test_random_sides_are_judged_alike(self, db, case):
        with transaction.atomic():
            customer = factories.CustomerFactory(odoo_partner_id=1 if case["is_linked"] else None)
            # Both sides in one currency make a bill whole: there is no other one then.
            case["has_other_currency"] &= not (case["odoo"] and case["external"])
            self.store(customer, case)
            tolerance = self.set_tolerance(customer, case["limits"])
            judge(customer.service)
            self.compare(row_of(customer), case, tolerance)
            transaction.set_rollback(True)

    def compare(self, row, case, tolerance):
        sides = {
            name: judgement.Side(*case[name], currency="CAD") if case[name] else None
            for name in ("odoo", "external")
        }
        flags = {name: case[name] for name in ("is_linked", "is_stale", "has_other_currency")}
        expected = judgement.judge(**sides, **flags, tolerance=tolerance)
        for name in ("basis", "odoo_amount", "external_amount", "delta", "outcome", "status"):
            assert getattr(row, name) == getattr(expected, name), name
        if row.external_amount is not None:
            assert row.tolerance == tolerance.limit(row.external_amount)

    def store(self, customer, case):
        if case["odoo"]:
            odoo(customer, *map(str, case["odoo"][:2]))
        if case["external"]:
            external(customer, *(None if figure is None else str(figure) for figure in case["external"]))
        if case["has_other_currency"]:
            (external if case["odoo"] else odoo)(customer, currency="USD")
        payload = self.payload(expect(customer), case["is_stale"])
        factories.PushFactory(customer=customer, status="done", odoo_id=1, settled_at=NOW, payload=payload)

    def payload(self, fee, is_stale):
        amount = "99.99" if is_stale else "100"
        return {"usage_lines": [{"key": fee.public_id.hex, "amount": amount}], "plan_lines": []}

    def set_tolerance(self, customer, limits):
        if limits is None:
            return Tolerance()
        absolute, relative, cap = (None if limit is None else Decimal(limit) for limit in limits)
        factories.ToleranceFactory(service=customer.service, absolute=absolute, relative=relative, cap=cap)
        return Tolerance(absolute, relative, cap)


class TestTolerance:
    @pytest.mark.parametrize(
        ("limits", "external_amount", "delta", "status"),
        [
            ({}, "100.00", "0.01", "match"),
            ({}, "100.00", "0.02", "delta"),
            ({}, "100.00", "-0.01", "match"),
            ({"absolute": "0.50"}, "100.00", "0.50", "match"),
            ({"absolute": "0.50"}, "100.00", "0.51", "delta"),
            ({"relative": "0.01"}, "100.00", "1.00", "match"),
            ({"relative": "0.01"}, "100.00", "1.01", "delta"),
            ({"relative": "0.01"}, "-100.00", "1.00", "match"),
            ({"absolute": "5", "relative": "0.01"}, "100.00", "5.00", "match"),
            ({"relative": "0.01", "cap": "0.75"}, "100.00", "0.75", "match"),
            ({"relative": "0.01", "cap": "0.75"}, "100.00", "0.76", "delta"),
            ({"absolute": "5", "cap": "0"}, "100.00", "0.01", "delta"),
            ({"absolute": "5", "cap": "0"}, "100.00", "0.00", "match"),
            ({"relative": "0.5"}, "0.00", "0.01", "match"),
            ({"relative": "0.5"}, "0.00", "0.02", "delta"),
        ],
    )
    def test_equality_matches_and_the_cap_is_never_passed(
        self, customer, limits, external_amount, delta, status
    ):
        if limits:
            values = {name: Decimal(value) for name, value in limits.items()}
            factories.ToleranceFactory(service=customer.service, **values)
        external(customer, external_amount)
        odoo(customer, str(Decimal(external_amount) + Decimal(delta)))
        judge(customer.service)
        assert row_of(customer).status == status

    def test_each_currency_and_service_has_its_own(self, customer):
        factories.ToleranceFactory(service=customer.service, currency="USD", absolute=Decimal(5))
        factories.ToleranceFactory(currency="CAD", absolute=Decimal(5))
        for currency in ("CAD", "USD"):
            odoo(customer, "103.00", currency=currency)
            external(customer, "100.00", currency=currency)
        judge(customer.service)
        assert (row_of(customer).status, row_of(customer, "USD").status) == ("delta", "match")

    def test_a_changed_tolerance_is_applied_to_rows_that_nobody_resolved(self, customer):
        odoo(customer, "103.00")
        external(customer, "100.00")
        judge(customer.service)
        factories.ToleranceFactory(service=customer.service, absolute=Decimal(5))
        assert judge(customer.service) == (1, 0)
        assert (row_of(customer).status, row_of(customer).tolerance) == ("match", 5)
