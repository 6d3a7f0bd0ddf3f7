"""Which drafts of a refused load() are to blame, and that the others are saved."""

import pytest

from reconciliation.connectors.errors import ConnectorError
from reconciliation.connectors.odoo.client import OdooClient
from reconciliation.connectors.odoo.guard import HEADER_COLUMNS, PLAN_COLUMNS, USAGE_COLUMNS, GuardedTransport
from reconciliation.connectors.odoo.loading import load_drafts
from reconciliation.connectors.odoo.sheets import PLAN_SHEET, header_sheet, usage_sheet
from tests.reconciliation.connectors.odoo.drafting import draft, plan, usage
from tests.reconciliation.connectors.odoo.recordings import FakeTransport, recorded_result


class LoadingOdoo:
    """Answers load() as Odoo does: all or nothing, the rows of bad records named."""

    def __init__(self, *bad, is_first_blamed=False, is_anonymous=False, most=None):
        self.bad = {f"__billing_console__.shadow_{key}" for key in bad}
        self.is_first_blamed = is_first_blamed
        self.is_anonymous = is_anonymous
        self.most = most
        self.sizes = []

    def __call__(self, model, method, args, kwargs):
        rows = args[1]
        starts = [number for number, row in enumerate(rows) if row[0]]
        self.sizes.append(len(starts))
        bad = [number for number in starts if self.owner(model, rows[number]) in self.bad]
        if not bad:
            return {"ids": [1000 + number for number in starts], "messages": [], "nextrow": 0}
        return {"ids": False, "messages": self.messages(bad[: self.most]), "nextrow": 0}

    def owner(self, model, row):
        return row[0] if model == "sale.order" else row[1]

    def messages(self, bad):
        blamed = [self.message(number, f"row {number} is bad") for number in bad]
        if self.is_anonymous:
            return [{"type": "error", "message": "something is bad"}]
        summary = [self.message(0, "row is bad")] if self.is_first_blamed else []
        return summary + blamed + [{"type": "warning", "message": "interrupted"}]

    def message(self, row, text):
        return {"type": "error", "message": text, "record": row, "rows": {"from": row, "to": row}}


def load(odoo, drafts, sheet=None):
    client = OdooClient(GuardedTransport(FakeTransport(odoo)), company_id=1, language="en_US")
    return load_drafts(client, sheet or header_sheet(1), drafts)


def drafts(count):
    return [draft(f"k{number}", usage("a", "1.00"), usage("b", "2.00")) for number in range(count)]


def test_all_good_drafts_take_one_call():
    odoo = LoadingOdoo()
    loaded = load(odoo, drafts(100))
    assert odoo.sizes == [100]
    assert loaded.errors == {}
    assert loaded.ids["k99"] == [1099]


def test_no_draft_takes_no_call():
    odoo = LoadingOdoo()
    assert load(odoo, []).ids == {}
    assert odoo.sizes == []


def test_a_sheet_without_rows_takes_no_call():
    odoo = LoadingOdoo()
    load(odoo, drafts(3), PLAN_SHEET)
    assert odoo.sizes == []


def test_half_a_batch_invalid_takes_two_calls():
    odoo = LoadingOdoo(*(f"k{number}" for number in range(1, 100, 2)))
    loaded = load(odoo, drafts(100))
    assert odoo.sizes == [100, 50]
    assert set(loaded.errors) == {f"k{number}" for number in range(1, 100, 2)}
    assert set(loaded.ids) == {f"k{number}" for number in range(0, 100, 2)}
    assert "row 7 is bad" in loaded.errors["k7"].message
    assert loaded.errors["k7"].permanent


def test_a_bad_first_draft_is_heard_alone():
    odoo = LoadingOdoo("k0")
    loaded = load(odoo, drafts(3))
    assert odoo.sizes == [3, 2, 1]
    assert set(loaded.errors) == {"k0"}
    assert set(loaded.ids) == {"k1", "k2"}


def test_a_first_draft_that_is_only_named_for_the_batch_is_saved():
    odoo = LoadingOdoo("k3", is_first_blamed=True)
    loaded = load(odoo, drafts(5))
    assert set(loaded.errors) == {"k3"}
    assert set(loaded.ids) == {"k0", "k1", "k2", "k4"}


def test_drafts_that_nobody_names_are_found_by_halves():
    odoo = LoadingOdoo("k5", is_anonymous=True)
    loaded = load(odoo, drafts(16))
    assert set(loaded.errors) == {"k5"}
    assert len(loaded.ids) == 15
    assert len(odoo.sizes) == 9


def test_a_list_of_errors_that_odoo_cut_short_is_worked_off():
    odoo = LoadingOdoo(*(f"k{number}" for number in range(10, 40)), most=10)
    loaded = load(odoo, drafts(100))
    assert len(loaded.errors) == 30
    assert len(loaded.ids) == 70
    assert odoo.sizes == [100, 90, 80, 70]


def test_everything_invalid_ends():
    odoo = LoadingOdoo(*(f"k{number}" for number in range(20)))
    loaded = load(odoo, drafts(20))
    assert len(loaded.errors) == 20
    assert loaded.ids == {}


def test_a_row_far_down_leads_to_the_draft_that_it_belongs_to():
    odoo = LoadingOdoo("k1")
    loaded = load(odoo, drafts(3), usage_sheet(1))
    assert set(loaded.errors) == {"k1"}
    assert loaded.ids == {"k0": [1000], "k2": [1002]}


def test_plan_lines_give_an_id_each():
    lines = [draft("k0", plan("a"), plan("b")), draft("k1", plan("a"))]
    assert load(LoadingOdoo(), lines, PLAN_SHEET).ids == {"k0": [1000, 1001], "k1": [1002]}


def test_the_recorded_bad_row_blames_the_second_of_two():
    answers = [recorded_result("load_bad_row"), {"ids": [1], "messages": [], "nextrow": 0}]
    loaded = load(lambda *_: answers.pop(0), drafts(2))
    assert set(loaded.errors) == {"k1"}
    assert "99999999" in loaded.errors["k1"].message
    assert loaded.ids == {"k0": [1]}


def test_a_lost_race_is_transient_for_all():
    message = {
        "type": "error",
        "message": "could not serialize access due to concurrent update",
        "rows": {"from": 1},
    }
    with pytest.raises(ConnectorError) as caught:
        load(lambda *_: {"ids": False, "messages": [message]}, drafts(3))
    assert (caught.value.code, caught.value.permanent) == ("transient", False)


def test_what_is_sent_is_what_was_recorded():
    first = draft("1795383880", usage("api", "30.86"), usage("sto", "4.10"), plan("base"))
    fake = FakeTransport(LoadingOdoo())
    client = OdooClient(GuardedTransport(fake), company_id=1, language="en_CA")
    load_drafts(client, usage_sheet(1), [first])
    load_drafts(client, PLAN_SHEET, [first])
    (_, _, (columns, rows), kwargs), (_, _, (plan_columns, plan_rows), _) = fake.calls
    assert columns == list(HEADER_COLUMNS + USAGE_COLUMNS)
    assert rows == [
        [
            "__billing_console__.shadow_1795383880",
            "7531",
            "1",
            "3",
            "NexaCloud 2026-10 1795383880",
            "False",
            "False",
            "1",
            "__billing_console__.shadow_1795383880__api",
            "3",
            "api 2026-10",
            "1",
            "30.86",
        ],
        [
            "",
            "",
            "",
            "",
            "",
            "",
            "",
            "",
            "__billing_console__.shadow_1795383880__sto",
            "3",
            "sto 2026-10",
            "1",
            "4.1",
        ],
    ]
    assert kwargs == {"context": {"allowed_company_ids": [1], "lang": "en_CA"}}
    assert plan_columns == list(PLAN_COLUMNS)
    assert plan_rows == [
        [
            "__billing_console__.shadow_1795383880__base",
            "__billing_console__.shadow_1795383880",
            "4",
            "base 2026-10",
            "1",
        ]
    ]
