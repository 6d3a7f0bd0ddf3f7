"""The pages that link customers: a suggestion is one click, a file shows first what it would do."""

import pytest
from django.contrib.messages import get_messages
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from ingest.models import AuditRecord, Customer
from tests import factories

pytestmark = pytest.mark.django_db

LINKS = "admin:reconciliation_odoopartner_links"
FILE = "admin:reconciliation_odoopartner_links_file"
FINDINGS = "admin:reconciliation_odoopartner_findings"


@pytest.fixture
def customer():
    factories.OdooPartnerFactory(odoo_id=1, name="Acme", ref="c-1")
    service = factories.ServiceFactory(code="nexacloud")
    return factories.CustomerFactory(service=service, external_id="c-1", name="Acme", odoo_partner_id=None)


def upload(text):
    return {"file": SimpleUploadedFile("links.csv", text)}


TABLE = b"service,external_customer_id,partner_id\nnexacloud,c-1,1\nnexacloud,nobody,1\n"


def test_finance_links_a_suggestion(client, finance, customer):
    client.force_login(finance)
    page = client.get(reverse(LINKS)).content.decode()
    assert "the partner&#x27;s reference is the customer&#x27;s id (+70)" in page

    response = client.post(reverse(LINKS), {"customer": customer.pk, "partner": "1"})

    assert (response.status_code, response["Location"]) == (302, reverse(LINKS))
    customer.refresh_from_db()
    assert customer.odoo_partner_id == 1
    assert AuditRecord.objects.get().actor == finance
    assert "Every customer is linked." in client.get(reverse(LINKS)).content.decode()


@pytest.mark.parametrize(
    "posted", [{}, {"customer": "x", "partner": "1"}, {"customer": "9999", "partner": "1"}]
)
def test_a_customer_that_there_is_not_is_refused(client, finance, posted):
    client.force_login(finance)
    response = client.post(reverse(LINKS), posted)
    assert [str(each) for each in get_messages(response.wsgi_request)] == ["There is no such customer."]


def test_a_file_is_shown_before_it_is_applied(client, finance, customer):
    client.force_login(finance)
    page = client.post(reverse(FILE), upload(TABLE))
    shown = page.content.decode()
    assert "2 rows: 1 links, 0 as they are already, 1 refused." in shown
    assert "has no customer “nobody”" in shown
    assert Customer.objects.get().odoo_partner_id is None

    response = client.post(reverse(FILE), {"apply": "1", "text": page.context["text"]})

    assert response.status_code == 302
    assert Customer.objects.get().odoo_partner_id == 1
    said = [str(each) for each in get_messages(response.wsgi_request)]
    assert said == ["1 customers were linked. 1 rows were refused and changed nothing."]


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"\xff\xfe", "Not UTF-8 at byte 0"), (b"a,b\n", "must name the columns"), (b"", "empty")],
)
def test_what_is_no_table_is_refused_on_the_page(client, finance, content, words):
    client.force_login(finance)
    assert words in client.post(reverse(FILE), upload(content)).content.decode()


def test_who_may_only_look_links_nothing(client, auditor, customer):
    client.force_login(auditor)
    assert '<button class="button">Link</button>' not in client.get(reverse(LINKS)).content.decode()
    assert client.post(reverse(LINKS), {"customer": customer.pk, "partner": "1"}).status_code == 403
    assert client.get(reverse(FILE)).status_code == 403
    assert client.post(reverse(FILE), upload(TABLE)).status_code == 403


def test_findings_lead_to_what_is_wrong(client, auditor, customer):
    Customer.objects.update(odoo_partner_id=99)
    factories.MirrorCursorFactory(kind="partners")
    client.force_login(auditor)
    page = client.get(reverse(FINDINGS)).content.decode()
    assert "Odoo has no partner 99: link another one." in page
    assert reverse("admin:ingest_customer_change", args=[customer.pk]) in page


def test_the_pages_take_as_many_queries_for_many_as_for_few(client, operator, django_assert_max_num_queries):
    service = factories.ServiceFactory()
    for number in range(30):
        factories.CustomerFactory(
            service=service, external_id=f"c-{number}", name=f"Customer {number}", odoo_partner_id=None
        )
        factories.OdooPartnerFactory(name=f"Customer {number}", ref=f"c-{number}")
    client.force_login(operator)
    for name in (LINKS, FINDINGS):
        with django_assert_max_num_queries(16):
            assert client.get(reverse(name)).status_code == 200
