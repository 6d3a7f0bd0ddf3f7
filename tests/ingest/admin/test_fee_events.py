"""The download of a fee's events: all of them, digit for digit, safe in a spreadsheet, row by row."""

import csv
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.urls import reverse

from ingest.admin import fee_events
from ingest.models import Fee
from ingest.screens.spreadsheets import stream_csv
from tests import factories
from tests.ingest.selling import add_charge, bill, make_subscription, post

pytestmark = pytest.mark.django_db

AT = datetime(2026, 9, 3, 12, tzinfo=UTC)


@pytest.fixture
def subscription():
    subscription = make_subscription()
    add_charge(subscription, price="1")
    return subscription


def download(client, fee):
    response = client.get(reverse("admin:ingest_fee_events", args=[fee.pk]))
    assert response.streaming
    return response, list(csv.DictReader(response.getvalue().decode().splitlines()))


def test_it_holds_the_events_of_the_fee_in_time_order(client, auditor, subscription):
    client.force_login(auditor)
    late = post(subscription, AT + timedelta(hours=1), "4", received_at=datetime(2026, 10, 5, tzinfo=UTC))
    first = post(subscription, AT, "10", quantity=Decimal("1E+1"))
    post(subscription, AT, "10", code="other")
    bill(subscription.service)
    fee = Fee.objects.get()
    response, rows = download(client, fee)
    assert [row["transaction id"] for row in rows] == [first.transaction_id, late.transaction_id]
    assert [row["late"] for row in rows] == ["no", "yes"]
    assert (rows[0]["quantity"], rows[0]["used at"]) == ("10", "2026-09-03T12:00:00+00:00")
    assert f"events-2026-09-{fee.public_id}.csv" in response["Content-Disposition"]
    page = client.get(reverse("admin:ingest_fee_change", args=[fee.pk])).content.decode()
    assert reverse("admin:ingest_fee_events", args=[fee.pk]) in page


def test_a_text_that_a_spreadsheet_would_run_is_plain(client, auditor, subscription):
    client.force_login(auditor)
    for name in ("=1+1", "+1", "-1", "@x"):
        post(subscription, AT, "1", transaction_id=name)
    bill(subscription.service)
    _, rows = download(client, Fee.objects.get())
    assert sorted(row["transaction id"] for row in rows) == ["'+1", "'-1", "'=1+1", "'@x"]


def test_a_fee_without_events_has_a_header_alone(client, auditor):
    client.force_login(auditor)
    _, rows = download(client, factories.FeeFactory(kind="plan", charge=None))
    assert rows == []


def test_who_may_not_see_fees_or_events_may_not_download(client, outsider):
    client.force_login(outsider)
    fee = factories.FeeFactory()
    assert client.get(reverse("admin:ingest_fee_events", args=[fee.pk])).status_code == 403


def test_a_fee_that_there_is_not_has_no_events(client, auditor):
    client.force_login(auditor)
    assert client.get(reverse("admin:ingest_fee_events", args=[0])).status_code == 404


def test_a_row_is_sent_before_the_next_one_is_read():
    read = []

    def rows():
        for number in range(1_000_000):
            read.append(number)
            yield (number,)

    lines = iter(stream_csv(name="x.csv", headers=["n"], rows=rows()))
    assert [next(lines) for _ in range(3)] == [b"n\r\n", b"0\r\n", b"1\r\n"]
    assert len(read) == 2


def test_the_database_is_read_in_pieces(monkeypatch, subscription, django_assert_num_queries):
    monkeypatch.setattr(fee_events, "CHUNK", 2)
    for _ in range(5):
        post(subscription, AT, "1")
    bill(subscription.service)
    fee = fee_events.FEES.get()
    with django_assert_num_queries(1):
        assert len(list(fee_events.stream_events(fee))) == 6
