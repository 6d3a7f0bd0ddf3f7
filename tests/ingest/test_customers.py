"""The account link, set by function."""

import pytest

from ingest import customers
from ingest.errors import DomainError
from ingest.models import AuditRecord
from tests import factories

pytestmark = pytest.mark.django_db


def test_a_customer_is_unlinked_with_a_record_of_what_it_was(finance):
    customer = factories.CustomerFactory(odoo_partner_id=42)

    assert customers.link(customer=customer, odoo_partner_id=None, actor=finance)

    customer.refresh_from_db()
    assert not customer.is_linked
    assert AuditRecord.objects.get().before == {"odoo_partner_id": 42}


def test_two_customers_may_be_one_partner(finance):
    first, second = factories.CustomerFactory(odoo_partner_id=42), factories.CustomerFactory()

    assert customers.link(customer=second, odoo_partner_id=42, actor=finance)

    first.refresh_from_db()
    second.refresh_from_db()
    assert first.odoo_partner_id == second.odoo_partner_id == 42


def test_who_may_not_change_customers_is_refused(auditor):
    customer = factories.CustomerFactory(odoo_partner_id=None)

    with pytest.raises(DomainError) as refusal:
        customers.link(customer=customer, odoo_partner_id=42, actor=auditor)

    assert refusal.value.code == "permission_denied"
    customer.refresh_from_db()
    assert not customer.is_linked
    assert not AuditRecord.objects.exists()
