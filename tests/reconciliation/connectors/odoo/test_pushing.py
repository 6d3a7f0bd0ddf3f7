"""Shadow quotations in a running stand-in: written once however often they are sent, and read back equal."""

from dataclasses import replace
from decimal import Decimal

import pytest

from reconciliation.connectors.errors import ConnectorError
from reconciliation.connectors.odoo.connector import OdooConnector
from reconciliation.connectors.odoo.readback import verify
from tests.reconciliation.connectors.odoo.conftest import SETTINGS
from tests.reconciliation.connectors.odoo.drafting import Shop, plan, usage


@pytest.fixture
def shop(back_office):
    return Shop(back_office)


def push(connector, *drafts):
    """Write, and read back what was written."""
    outcomes = connector.write_quotations(drafts)
    known = {key: outcome.record_id for key, outcome in outcomes.items() if outcome.record_id}
    return outcomes, connector.read_quotations(list(outcomes), known)


def amounts(quotation):
    return [str(each) for each in (quotation.untaxed, quotation.tax, quotation.total)]


class TestWriting:
    def test_usage_is_at_our_amount_and_the_plan_at_odoos_price(self, connector, shop):
        draft = shop.usual()
        outcomes, quotations = push(connector, draft)
        assert outcomes["k1"].is_written
        quotation = quotations["k1"]
        assert quotation.id == outcomes["k1"].record_id
        assert (quotation.state, quotation.currency) == ("draft", "CAD")
        assert amounts(quotation) == ["133.96", "17.41", "151.37"]
        assert {line.external_key: str(line.untaxed) for line in quotation.lines} == {
            "api": "30.86",
            "sto": "4.10",
            "base": "99.00",
        }
        assert verify(draft, quotation) == []

    def test_odoo_cannot_bill_it_and_nobody_can_sign_or_pay_it(self, connector, shop, back_office):
        outcomes, _ = push(connector, shop.usual())
        fields = ["state", "require_signature", "require_payment", "tag_ids", "invoice_status"]
        (row,) = back_office.call("sale.order", "read", [outcomes["k1"].record_id], fields=fields)
        assert (row["state"], row["require_signature"], row["require_payment"]) == ("draft", False, False)
        assert row["invoice_status"] == "no"
        (tag,) = back_office.call("crm.tag", "read", row["tag_ids"], fields=["name"])
        assert tag["name"] == "Shadow billing: do not confirm"

    def test_the_tag_is_inserted_once_and_not_written_again(self, connector, shop, back_office):
        push(connector, shop.usual("k1"))
        (tag,) = back_office.find("crm.tag")
        back_office.call("crm.tag", "write", [tag], {"name": "Renamed by a person"})
        push(connector, shop.usual("k2"))
        rows = back_office.call("crm.tag", "search_read", [], fields=["name"])
        assert rows == [{"id": tag, "name": "Renamed by a person"}]

    def test_twice_is_once(self, connector, shop):
        first, _ = push(connector, shop.usual("k1"), shop.usual("k2"))
        held = shop.quotations()
        second, quotations = push(connector, shop.usual("k1"), shop.usual("k2"))
        assert first == second
        assert shop.quotations() == held == (2, 6)
        assert amounts(quotations["k1"]) == ["133.96", "17.41", "151.37"]

    def test_a_changed_amount_updates_in_place(self, connector, shop):
        _, before = push(connector, shop.usual())
        changed = shop.draft("k1", shop.usage("api", "31.07"), shop.usage("sto", "4.10"), shop.plan("base"))
        _, after = push(connector, changed)
        assert amounts(after["k1"]) == ["134.17", "17.44", "151.61"]
        assert [line.id for line in after["k1"].lines] == [line.id for line in before["k1"].lines]
        assert verify(changed, after["k1"]) == []

    def test_a_fee_that_is_gone_is_deleted_and_nothing_else(self, connector, shop):
        push(connector, shop.usual("k1"), shop.usual("k2"))
        less = shop.draft("k1", shop.usage("api", "31.07"), shop.plan("base"))
        _, quotations = push(connector, less, shop.usual("k2"))
        assert amounts(quotations["k1"]) == ["130.07", "16.91", "146.98"]
        assert verify(less, quotations["k1"]) == []
        assert len(quotations["k2"].lines) == 3

    @pytest.mark.parametrize("kinds", [(), ("usage",), ("plan",)])
    def test_a_draft_may_lack_either_kind_of_line(self, connector, shop, kinds):
        lines = {"usage": shop.usage("api", "30.86"), "plan": shop.plan("base")}
        draft = shop.draft("k1", *(lines[kind] for kind in kinds))
        outcomes, quotations = push(connector, draft)
        assert outcomes["k1"].is_written
        assert verify(draft, quotations["k1"]) == []

    def test_negative_zero_and_large_amounts_arrive_to_the_cent(self, connector, shop):
        sums = {"a": "-12.34", "b": "0.00", "c": "999999999999.99", "d": "0.01"}
        draft = shop.draft("k1", *(shop.usage(key, amount) for key, amount in sums.items()))
        _, quotations = push(connector, draft)
        assert {line.external_key: str(line.untaxed) for line in quotations["k1"].lines} == sums
        assert verify(draft, quotations["k1"]) == []

    def test_the_pricelist_sets_the_currency_and_the_plans_price(self, connector, shop, back_office):
        draft = shop.usual(pricelist_id=back_office.pricelist("USD"))
        _, quotations = push(connector, draft)
        quotation = quotations["k1"]
        assert quotation.currency == "USD"
        assert {line.external_key: str(line.untaxed) for line in quotation.lines}["base"] == "71.28"
        assert verify(draft, quotation) == []

    def test_two_taxes_on_one_base_come_back_summed(self, connector, shop, back_office):
        _, quotations = push(connector, shop.usual(partner_id=back_office.customer(province="QC")))
        assert amounts(quotations["k1"]) == ["133.96", "20.06", "154.02"]
        assert {len(line.tax_ids) for line in quotations["k1"].lines} == {2}

    def test_no_price_is_sent_for_a_plan_line_so_it_never_becomes_ours(self, connector, shop, back_office):
        draft = shop.draft("k1", shop.plan("base"))
        _, before = push(connector, draft)
        back_office.call("sale.order.line", "write", [before["k1"].lines[0].id], {"price_unit": 80})
        _, after = push(connector, draft)
        assert str(after["k1"].untaxed) in {"80.00", "99.00"}
        assert verify(draft, after["k1"]) == []

    def test_no_drafts_take_no_call(self, connector, transport):
        assert connector.write_quotations([]) == {}
        assert connector.read_quotations([]) == {}
        assert transport.calls == []

    def test_a_key_given_twice_is_refused_before_anything_is_sent(self, connector, transport, shop):
        with pytest.raises(ConnectorError) as caught:
            connector.write_quotations([shop.usual("k1"), shop.usual("k1")])
        assert caught.value.code == "invalid_draft"
        assert transport.calls == []


class TestPartialFailure:
    def test_half_a_batch_invalid_leaves_the_other_half_written(self, connector, shop):
        drafts = [shop.bad(f"k{each}") if each % 2 else shop.usual(f"k{each}") for each in range(20)]
        outcomes, quotations = push(connector, *drafts)
        good = {f"k{each}" for each in range(0, 20, 2)}
        assert {key for key, outcome in outcomes.items() if outcome.is_written} == good
        assert set(quotations) == good
        assert shop.quotations() == (10, 30)
        error = outcomes["k1"].error
        assert (error.code, error.permanent) == ("permanent", True)
        assert "99999999" in error.message

    def test_a_bad_usage_or_plan_line_fails_its_draft_alone(self, connector, shop):
        drafts = [
            shop.usual("good"),
            shop.draft("usage", usage("api", "1.00", product_id=99999999)),
            shop.draft("plan", shop.usage("api", "1.00"), plan("base", product_id=99999999)),
        ]
        outcomes, quotations = push(connector, *drafts)
        assert {key: outcome.is_written for key, outcome in outcomes.items()} == {
            "good": True,
            "usage": False,
            "plan": False,
        }
        assert verify(drafts[0], quotations["good"]) == []

    def test_a_draft_of_another_company_is_refused(self, connector, shop):
        outcomes, _ = push(connector, shop.usual("k1", company_id=77), shop.usual("k2"))
        assert not outcomes["k1"].is_written
        assert outcomes["k2"].is_written


class TestDecidedQuotations:
    @pytest.mark.parametrize("state", ["sent", "sale", "cancel"])
    def test_a_quotation_that_is_no_draft_is_not_written_and_the_others_are(
        self, connector, shop, back_office, state
    ):
        outcomes, _ = push(connector, shop.usual("k1"), shop.usual("k2"))
        back_office.call("sale.order", "write", [outcomes["k1"].record_id], {"state": state})
        changed = [
            shop.draft(key, shop.usage("api", "50.00"), shop.plan("base"), shop.plan("more"))
            for key in ("k1", "k2")
        ]
        outcomes, quotations = push(connector, *changed)
        error = outcomes["k1"].error
        assert (error.code, error.permanent) == ("not_draft", True)
        assert f"“{state}”" in error.message
        assert amounts(quotations["k1"]) == ["133.96", "17.41", "151.37"]
        assert any("state" in difference for difference in verify(changed[0], quotations["k1"]))
        assert outcomes["k2"].is_written
        assert verify(changed[1], quotations["k2"]) == []

    def test_a_line_that_odoo_will_not_delete_fails_its_draft_alone(
        self, connector, transport, shop, back_office
    ):
        outcomes, _ = push(connector, shop.usual("k1"), shop.usual("k2"))
        less = shop.draft("k1", shop.usage("api", "30.86"), shop.plan("base"))
        transport.before["sale.order.line.unlink"] = lambda: back_office.call(
            "sale.order", "action_confirm", [outcomes["k1"].record_id]
        )
        outcomes, _ = push(connector, less, shop.usual("k2"))
        assert outcomes["k1"].error.permanent
        assert outcomes["k2"].is_written

    def test_one_that_is_confirmed_between_the_check_and_the_write_is_not_written(
        self, connector, transport, shop, back_office
    ):
        outcomes, quotations = push(connector, shop.usual("k1"))
        more = shop.draft("k1", shop.usage("api", "51.14"), shop.usage("sto", "4.10"), shop.plan("base"))
        transport.after["sale.order.read"] = lambda: back_office.call(
            "sale.order", "action_confirm", [outcomes["k1"].record_id]
        )

        outcomes, after = push(connector, more)

        assert outcomes["k1"].error.permanent
        assert amounts(after["k1"]) == amounts(quotations["k1"])

    def test_a_quotation_that_was_deleted_is_made_anew(self, connector, shop, back_office):
        first, _ = push(connector, shop.usual())
        back_office.call("sale.order", "unlink", [first["k1"].record_id])
        assert connector.read_quotations(["k1"], {"k1": first["k1"].record_id}) == {}
        second, quotations = push(connector, shop.usual())
        assert second["k1"].record_id != first["k1"].record_id
        assert verify(shop.usual(), quotations["k1"]) == []


class TestLostAnswers:
    """The answer to any call may be lost, before or after Odoo did what it says."""

    CALLS = 8

    def push_again_after(self, connector, shop, *drafts):
        with pytest.raises(ConnectorError) as caught:
            connector.write_quotations(drafts)
        _, quotations = push(connector, *drafts)
        for draft in drafts:
            assert verify(draft, quotations[draft.key]) == []
        assert shop.quotations() == (len(drafts), sum(len(draft.lines) for draft in drafts))
        return caught.value

    def lose(self, code, is_outcome_unknown):
        def raise_error():
            raise ConnectorError(code, "lost", "odoo", permanent=False, is_outcome_unknown=is_outcome_unknown)

        return raise_error

    def changed(self, shop):
        return [shop.draft(key, shop.usage("api", "31.07"), shop.plan("base")) for key in ("k1", "k2")]

    @pytest.mark.parametrize("number", range(CALLS))
    @pytest.mark.parametrize("moment", ["before", "after"])
    def test_sending_again_duplicates_nothing(self, connector, transport, shop, moment, number):
        push(connector, shop.usual("k1"), shop.usual("k2"))
        transport.calls.clear()
        code = "outcome_unknown" if moment == "after" else "transient"
        getattr(transport, moment)[number] = self.lose(code, moment == "after")
        self.push_again_after(connector, shop, *self.changed(shop))

    def test_the_calls_above_are_all_calls_of_a_push(self, connector, transport, shop):
        connector.write_quotations([shop.usual("k1"), shop.usual("k2")])
        transport.calls.clear()
        connector.write_quotations(self.changed(shop))
        assert len(transport.calls) == self.CALLS

    FAULTS = {
        "drop_answer_after_commit": "outcome_unknown",
        "bad_gateway": "outcome_unknown",
        "reset": "outcome_unknown",
        "serialization_failure": "transient",
    }

    @pytest.mark.parametrize("fault", FAULTS)
    @pytest.mark.parametrize("method", ["crm.tag.load", "sale.order.load", "sale.order.line.load"])
    def test_a_servers_fault_is_healed_by_sending_again(self, connector, stand_in, shop, fault, method):
        stand_in.set_fault(fault, method=method)
        error = self.push_again_after(connector, shop, shop.usual("k1"), shop.usual("k2"))
        assert error.code == self.FAULTS[fault]

    def test_a_timeout_is_an_unknown_outcome(self, stand_in, connector, shop):
        hasty = OdooConnector.connect(
            url=stand_in.url,
            database=SETTINGS.database,
            login=SETTINGS.login,
            api_key=SETTINGS.key,
            company_id=1,
            read_billers=lambda keys: dict.fromkeys(keys, "service"),
            timeout=0.5,
        )
        stand_in.set_fault("timeout", method="sale.order.load", seconds=2)
        with pytest.raises(ConnectorError) as caught:
            hasty.write_quotations([shop.usual()])
        assert caught.value.is_outcome_unknown
        _, quotations = push(connector, shop.usual())
        assert verify(shop.usual(), quotations["k1"]) == []
        assert shop.quotations() == (1, 3)

    @pytest.mark.parametrize("fault", ["drop_answer_after_commit", "bad_gateway", "reset"])
    def test_a_fault_while_reading_leaves_nothing_unknown(self, connector, stand_in, shop, fault):
        push(connector, shop.usual())
        stand_in.set_fault(fault, method="sale.order.search_read")
        with pytest.raises(ConnectorError) as caught:
            connector.read_quotations(["k1"])
        assert (caught.value.code, caught.value.is_outcome_unknown) == ("transient", False)

    def test_a_revoked_key_is_an_authentication_error(self, connector, stand_in, shop):
        connector.probe()
        stand_in.revoke_key()
        with pytest.raises(ConnectorError) as caught:
            connector.write_quotations([shop.usual()])
        assert (caught.value.code, caught.value.permanent) == ("authentication", True)


class TestReadingBack:
    def test_a_key_that_odoo_does_not_know_is_absent(self, connector, shop):
        push(connector, shop.usual("k1"))
        assert set(connector.read_quotations(["k1", "k2"])) == {"k1"}

    def test_a_known_id_that_is_another_quotations_by_now_is_not_believed(self, connector, shop):
        outcomes, _ = push(connector, shop.usual("k1"), shop.usual("k2"))
        swapped = {
            "k1": outcomes["k2"].record_id,
            "k2": outcomes["k1"].record_id,
            "k3": outcomes["k1"].record_id,
        }
        quotations = connector.read_quotations(["k1", "k2", "k3"], swapped)
        assert {key: quotation.id for key, quotation in quotations.items()} == {
            key: outcomes[key].record_id for key in ("k1", "k2")
        }

    def test_a_line_that_a_person_added_stays_and_is_told(self, connector, shop, back_office):
        outcomes, _ = push(connector, shop.usual())
        back_office.create(
            "sale.order.line", order_id=outcomes["k1"].record_id, product_id=shop.plan_product, name="Extra"
        )
        _, quotations = push(connector, shop.usual())
        assert [line.external_key for line in quotations["k1"].lines].count(None) == 1
        assert verify(shop.usual(), quotations["k1"]) == ["line “Extra”: not intended"]

    def test_an_amount_that_a_person_changed_is_told_and_put_right_by_the_next_push(
        self, connector, shop, back_office
    ):
        outcomes, quotations = push(connector, shop.usual())
        (line,) = (line for line in quotations["k1"].lines if line.external_key == "api")
        back_office.call("sale.order.line", "write", [line.id], {"price_unit": 1})
        held = connector.read_quotations(["k1"], {"k1": outcomes["k1"].record_id})
        assert verify(shop.usual(), held["k1"]) == ["line api: amount 1.00 in Odoo, 30.86 intended"]
        _, quotations = push(connector, shop.usual())
        assert verify(shop.usual(), quotations["k1"]) == []

    def test_everything_else_that_differs_is_told(self, connector, shop):
        _, quotations = push(connector, shop.usual())
        other = replace(shop.usual(), partner_id=5, pricelist_id=6, company_id=7, usage_lines=())
        assert verify(other, quotations["k1"]) == [
            f"partner: {shop.customer} in Odoo, 5 intended",
            "company: 1 in Odoo, 7 intended",
            f"pricelist: {shop.pricelist} in Odoo, 6 intended",
            "line api: not intended",
            "line sto: not intended",
        ]
        more = replace(
            shop.usual(), plan_lines=(replace(shop.plan("base"), quantity=Decimal(2)), shop.plan("x"))
        )
        assert verify(more, quotations["k1"]) == [
            "line base: quantity 1.0 in Odoo, 2 intended",
            "line x: missing in Odoo",
        ]
        swapped = replace(shop.usual(), plan_lines=(replace(shop.plan("base"), product_id=9),))
        assert verify(swapped, quotations["k1"]) == [
            f"line base: product {shop.plan_product} in Odoo, 9 intended"
        ]

    def test_the_raw_record_is_kept_with_its_lines(self, connector, shop):
        _, quotations = push(connector, shop.usual())
        raw = quotations["k1"].raw
        assert raw["amount_untaxed"] == "133.96"
        assert len(raw["lines"]) == 3
