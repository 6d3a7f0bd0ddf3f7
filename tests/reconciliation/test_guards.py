"""What the database refuses whatever the code does: each constraint of both sides and the outbox by its name."""

from decimal import Decimal

import pytest

from reconciliation.models import PushStatus
from tests import factories
from tests.refusals import constraints_of, refused_by

pytestmark = pytest.mark.django_db

NOW = factories.SEEN_AT
EMPTY = {"period_end": factories.PERIOD_START}


def twice(factory, *names, **values):
    """Makes a row, and another that has the same of these."""
    row = factory(**values)
    factory(**{name: getattr(row, name) for name in names}, **values)


def row(**values):
    return factories.ReconciliationFactory(**values)


def amount(**values):
    return factories.AmountFactory(**values)


def versions(status):
    """Two versions of one key in the same state."""
    first = factories.PushFactory(status=status)
    factories.PushFactory(customer=first.customer, key=first.key, version=2, status=status)


def decided(**values):
    usual = {"decided_by": factories.UserFactory(), "decided_at": NOW}
    return factories.CutoverRequestFactory(**(usual | values))


def approve_oneself():
    person = factories.UserFactory()
    decided(status="approved", requested_by=person, decided_by=person)


def current_twice():
    document = factories.SourceDocumentFactory()
    factories.SourceDocumentFactory(service=document.service, reference=document.reference, version=2)


def endpoint_twice():
    twice(factories.WebhookEndpointFactory, "service", "url")


def two_current_rules():
    service = factories.ServiceFactory()
    for version in (1, 2):
        factories.ClaimRulesFactory(service=service, version=version)


def reconciled_twice():
    twice(factories.ReconciliationFactory, "customer")


WRONG = {
    "fact_is_told_once": lambda: twice(factories.ToldFactFactory, "service", "key"),
    "connection_transport_is_known": lambda: factories.OdooConnectionFactory(transport="pigeon"),
    "connection_company_is_an_id": lambda: factories.OdooConnectionFactory(company_id=0),
    "webhook_algorithm_is_known": lambda: factories.WebhookEndpointFactory(algorithm="none"),
    "alarm_open_once": lambda: twice(factories.AlarmFactory, "reference"),
    "alarm_kind_is_known": lambda: factories.AlarmFactory(kind="noise"),
    "run_kind_is_known": lambda: factories.RunFactory(kind="walk"),
    "run_status_is_known": lambda: factories.RunFactory(status="resting"),
    "running_run_has_a_lease": lambda: factories.RunFactory(status="running"),
    "document_version_once": lambda: twice(
        factories.SourceDocumentFactory, "service", "reference", is_current=False
    ),
    "document_has_one_current_version": current_twice,
    "document_source_is_known": lambda: factories.SourceDocumentFactory(source="rumour"),
    "amount_once_per_document_and_period": lambda: twice(factories.AmountFactory, "document", "customer"),
    "amount_total_is_untaxed_plus_tax": lambda: amount(tax=Decimal(13), total=Decimal(112)),
    "amount_side_is_known": lambda: amount(side="ours"),
    "amount_period_is_not_empty": lambda: amount(**EMPTY),
    "amount_currency_is_iso": lambda: amount(currency="cad"),
    "amount_line_once_per_position": lambda: twice(factories.AmountLineFactory, "amount", "position"),
    "amount_line_kind_is_known": lambda: factories.AmountLineFactory(kind="gift"),
    "amount_line_states_an_amount": lambda: factories.AmountLineFactory(untaxed=None),
    "cutover_approver_is_another_person": approve_oneself,
    "cutover_decision_has_who_and_when": lambda: decided(status="approved", decided_by=None),
    "cutover_rejection_has_a_comment": lambda: decided(status="rejected"),
    "cutover_rollback_has_who_and_why": lambda: decided(status="rolled_back"),
    "cutover_status_is_known": lambda: decided(status="maybe"),
    "cutover_one_at_a_time": lambda: twice(factories.CutoverRequestFactory, "service"),
    "cursor_once_per_kind": lambda: twice(factories.MirrorCursorFactory, "kind"),
    "cursor_rests_at_the_beginning": lambda: factories.MirrorCursorFactory(after_id=5),
    "past_ends_once": lambda: twice(factories.OdooTaxPastFactory, "odoo_id"),
    "push_version_once": lambda: twice(factories.PushFactory, "customer", "key", status="superseded"),
    "push_in_flight_once": lambda: versions(PushStatus.SENDING),
    "push_pending_once": lambda: versions(PushStatus.PENDING),
    "push_status_is_known": lambda: factories.PushFactory(status="lost"),
    "push_kind_is_known": lambda: factories.PushFactory(kind="gift"),
    "done_push_has_its_record": lambda: factories.PushFactory(status="done", settled_at=NOW),
    "push_period_is_not_empty": lambda: factories.PushFactory(**EMPTY),
    "reconciliation_once": reconciled_twice,
    "delta_is_odoo_minus_external": lambda: row(delta=Decimal("0.01")),
    "odoo_amount_is_on_the_basis": lambda: row(odoo_total=Decimal(90), odoo_amount=Decimal(90)),
    "external_amount_is_on_the_basis": lambda: row(external_total=Decimal(90), external_amount=Decimal(90)),
    "expected_total_is_untaxed_plus_tax": lambda: row(
        expected_untaxed=Decimal(1), expected_tax=Decimal(1), expected_total=Decimal(3)
    ),
    "compared_has_a_delta": lambda: row(odoo_untaxed=None, outcome="compared", status="delta"),
    "only_compared_can_match": lambda: row(outcome="stale", status="match"),
    "resolved_has_who_and_why": lambda: row(
        status="resolved", resolved_by=factories.UserFactory(), resolved_at=NOW
    ),
    "missing_odoo_is_null": lambda: row(outcome="missing_odoo", status="delta"),
    "missing_external_is_null": lambda: row(outcome="missing_external", status="delta"),
    "reconciliation_words_are_known": lambda: row(outcome="compared", status="done"),
    "reconciliation_period_is_not_empty": lambda: row(**EMPTY),
    "strategy_is_known": lambda: factories.AmountStrategyFactory(strategy="guess"),
    "unattributed_line_once": lambda: twice(factories.UnattributedLineFactory, "service", "odoo_id"),
    "line_state_is_known": lambda: factories.UnattributedLineFactory(state="guessed"),
    "assigned_line_has_a_period": lambda: factories.UnattributedLineFactory(
        state="assigned", decided_by=factories.UserFactory(), decided_at=NOW
    ),
    "decided_line_has_a_person": lambda: factories.UnattributedLineFactory(state="left_out"),
    "tolerance_once": lambda: twice(factories.ToleranceFactory, "service"),
    "tolerance_is_not_negative": lambda: factories.ToleranceFactory(cap=Decimal("-0.01")),
    "amount_line_timing_is_known": lambda: factories.AmountLineFactory(timing="soon"),
    "billing_source_once_a_day": lambda: twice(factories.BillingSourceFactory, "service"),
    "billing_source_kind_is_known": lambda: factories.BillingSourceFactory(kind="rumour"),
    "billing_source_has_a_reason": lambda: factories.BillingSourceFactory(reason=""),
    "claim_rules_version_once": lambda: twice(factories.ClaimRulesFactory, "service", is_current=False),
    "claim_rules_have_one_current_version": two_current_rules,
    "stripe_record_once": lambda: twice(factories.StripeRecordFactory, "stripe_id"),
    "stripe_record_state_is_known": lambda: factories.StripeRecordFactory(state="lost"),
    "claimed_record_has_its_service": lambda: factories.StripeRecordFactory(state="claimed"),
    "parked_record_has_a_reason": lambda: factories.StripeRecordFactory(state="parked"),
    "stripe_cursor_once": lambda: twice(factories.StripeCursorFactory, "account"),
    "stripe_event_once": lambda: twice(factories.StripeEventFactory, "event_id"),
    "stripe_event_state_is_known": lambda: factories.StripeEventFactory(state="lost"),
    "waiting_event_has_a_next_attempt": lambda: factories.StripeEventFactory(next_attempt_at=None),
    "parked_event_has_a_reason": lambda: factories.StripeEventFactory(state="parked"),
    "file_mapping_once_per_service": lambda: twice(factories.FileMappingFactory, "service", "name"),
    "file_mapping_has_a_name": lambda: factories.FileMappingFactory(name=""),
    "file_mapping_header_is_a_row": lambda: factories.FileMappingFactory(header_row=0),
    "file_mapping_marks_differ": lambda: factories.FileMappingFactory(thousands_mark="."),
    "billed_file_status_is_known": lambda: factories.BilledFileFactory(status="lost"),
    "billed_file_has_one_mapping": lambda: factories.BilledFileFactory(
        mapping=factories.FileMappingFactory(), ready_mapping="lago_fees"
    ),
    "billed_file_part_once": lambda: twice(factories.BilledFilePartFactory, "file", "number"),
    "webhook_endpoint_once": endpoint_twice,
    "delivery_status_is_known": lambda: factories.DeliveryFactory(status="flying"),
    "open_delivery_has_a_next_attempt": lambda: factories.DeliveryFactory(next_attempt_at=None),
}


@pytest.mark.parametrize("name", WRONG)
def test_the_database_refuses_the_wrong_state(name):
    with refused_by(name):
        WRONG[name]()


def test_no_constraint_goes_unproven():
    assert WRONG.keys() == constraints_of("reconciliation")


@pytest.mark.parametrize(
    ("table", "factory"),
    [
        ("amount", factories.AmountFactory),
        ("push", factories.PushFactory),
        ("reconciliation", factories.ReconciliationFactory),
        (
            "unattributedline",
            lambda **values: factories.UnattributedLineFactory(
                customer=factories.CustomerFactory(), **values
            ),
        ),
    ],
)
def test_nothing_of_one_service_is_about_a_customer_of_another(table, factory):
    with refused_by(f"reconciliation_{table}_customer_id_of_service"):
        factory(service=factories.ServiceFactory())


class TestWhatIsAllowed:
    @pytest.mark.parametrize(
        ("first", "second"), [("sending", "pending"), ("unknown", "pending"), ("done", "done")]
    )
    def test_a_newer_push_may_wait_beside_an_older_one(self, first, second):
        states = {"odoo_id": 7, "settled_at": NOW} if first == "done" else {}
        older = factories.PushFactory(status=first, **states)
        factories.PushFactory(customer=older.customer, key=older.key, version=2, status=second, **states)

    @pytest.mark.parametrize("pair", [("sending", "unknown"), ("unknown", "unknown"), ("unknown", "sending")])
    def test_but_two_never_fly_at_once(self, pair):
        older = factories.PushFactory(status=pair[0])
        with refused_by("push_in_flight_once"):
            factories.PushFactory(customer=older.customer, key=older.key, version=2, status=pair[1])

    @pytest.mark.parametrize(
        "stated",
        [
            {"untaxed": Decimal(100)},
            {"untaxed": None, "total": Decimal(113)},
            {"untaxed": Decimal(100), "tax": Decimal(13), "total": Decimal(113)},
            {"untaxed": Decimal(-100), "tax": Decimal(-13), "total": Decimal(-113)},
        ],
    )
    def test_an_amount_states_one_figure_or_three_that_add_up(self, stated):
        assert amount(**stated).pk

    @pytest.mark.parametrize(
        "stated",
        [
            {"untaxed": None},
            {"tax": Decimal(13)},
            {"total": Decimal(113)},
            {"untaxed": None, "tax": Decimal(13), "total": Decimal(113)},
        ],
    )
    def test_and_nothing_between(self, stated):
        with refused_by("amount_total_is_untaxed_plus_tax"):
            amount(**stated)

    @pytest.mark.parametrize("missing", ["odoo_untaxed", "external_untaxed"])
    def test_a_missing_side_has_no_delta(self, missing):
        assert row(**{missing: None}).delta is None
        with refused_by("delta_is_odoo_minus_external"):
            row(**{missing: None}, delta=Decimal(0))

    @pytest.mark.parametrize("status", ["rejected", "rolled_back"])
    def test_a_cutover_may_be_asked_for_again_once_the_last_one_is_over(self, status):
        words = {"decision_comment": "No."}
        if status == "rolled_back":
            words |= {
                "rollback_reason": "x",
                "rolled_back_by": factories.UserFactory(),
                "rolled_back_at": NOW,
            }
        earlier = decided(status=status, **words)
        assert factories.CutoverRequestFactory(service=earlier.service).pk

    def test_an_alarm_may_be_raised_again_once_it_was_cleared(self):
        alarm = factories.AlarmFactory(cleared_at=NOW)
        assert factories.AlarmFactory(reference=alarm.reference).pk
