"""A service may have its events taken better than Lago does: sent again, in larger batches, in part."""

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError

from ingest import expressions, keys
from ingest.configuration import configure
from ingest.intake import take_events
from ingest.intake_terms import terms_of
from ingest.models import AuditRecord, UsageEvent
from tests import factories
from tests.ingest.api.conftest import make_event
from tests.ingest.api.refusals import refused
from tests.ingest.test_collection import make_event as make_posted

pytestmark = pytest.mark.django_db

TAKEN = {"transaction_id": ["value_already_exist"]}
FULL = {
    "timestamp": "1780586634.123456",
    "properties": {"a": [1, {"b": None}], "n": 1.50, "value": "2"},
    "precise_total_amount_cents": "12.50",
}


@pytest.fixture
def choose(service, monkeypatch):
    """Sets the service's choices; they hold at once."""

    def choose(**values):
        for name, value in values.items():
            setattr(service, name, value)
        service.save()
        monkeypatch.setattr(keys, "_trusted", {})

    return choose


@pytest.fixture
def accepting(choose):
    """The service takes identical events again."""
    choose(is_resend_accepted=True)


@pytest.fixture
def partial(choose):
    """The service takes the good events of a batch."""
    choose(is_batch_partial=True)


def ids(response):
    return [event["transaction_id"] for event in response.json()["events"]]


def stored():
    return sorted(UsageEvent.objects.values_list("transaction_id", flat=True))


# --- sent again --------------------------------------------------------------------------------------------


def test_an_identical_event_is_answered_as_it_is_stored(post_event, accepting):
    first = post_event(**FULL).json()["event"]
    spelled = {**FULL, "timestamp": 1780586634.123456, "precise_total_amount_cents": 12.5}
    again = post_event(**spelled, unknown="ignored")
    assert (again.status_code, again.json()["event"]) == (200, first)
    assert stored() == ["t-1"]


@pytest.mark.parametrize(
    "change",
    [
        {"code": "other"},
        {"timestamp": "1780586634.123457"},
        {"timestamp": None},
        {"properties": {**FULL["properties"], "a": [1]}},
        {"properties": None},
        {"precise_total_amount_cents": "12.51"},
        {"precise_total_amount_cents": None},
    ],
)
def test_another_body_under_a_stored_id_is_refused_as_ever(post_event, accepting, change):
    post_event(**FULL)
    assert refused(post_event(**{**FULL, **change})) == TAKEN
    assert UsageEvent.objects.get().properties == FULL["properties"]


def test_an_event_without_a_time_is_the_same_without_one(post_event, accepting):
    first = post_event().json()["event"]
    assert post_event().json()["event"] == first
    assert refused(post_event(timestamp=1780586634)) == TAKEN


def test_a_property_that_an_expression_computes_is_not_compared(post_event, accepting, service, monkeypatch):
    monkeypatch.setattr(expressions, "_trusted", {})
    factories.MetricFactory(service=service, code="api", expression="event.timestamp * event.properties.n")
    first = post_event(properties={"n": 1}).json()["event"]
    assert first["properties"]["value"]
    assert post_event(properties={"n": 1}).json()["event"] == first
    assert refused(post_event(properties={"n": 2})) == TAKEN


def test_the_stored_event_is_told_whose_it_is(post_event, accepting, service):
    subscription = factories.SubscriptionFactory(customer__service=service, external_id="sub-1")
    post_event()
    assert post_event().json()["event"]["lago_subscription_id"] == str(subscription.public_id)


def test_in_a_batch_identical_events_are_fine_and_only_new_ones_are_stored(post_batch, accepting):
    first = post_batch(make_event("t-1", **FULL)).json()["events"][0]
    response = post_batch(make_event("t-0"), make_event("t-1", **FULL), make_event("t-2"), make_event("t-2"))
    assert response.status_code == 200
    assert ids(response) == ["t-0", "t-1", "t-2", "t-2"]
    answered = response.json()["events"]
    assert answered[1] == first
    assert answered[2] == answered[3]
    assert stored() == ["t-0", "t-1", "t-2"]
    assert post_batch(make_event("t-0"), make_event("t-2")).status_code == 200


def test_a_batch_with_another_body_is_refused_whole_and_names_that_alone(post_batch, accepting):
    post_batch(make_event("t-1"), make_event("t-2"))
    response = post_batch(make_event("t-0"), make_event("t-1"), make_event("t-2", code="other"))
    assert refused(response) == {"2": TAKEN}
    response = post_batch(make_event("t-0"), make_event("t-0", code="other"), make_event("t-1"), {})
    assert refused(response).keys() == {"1", "3"}
    assert stored() == ["t-1", "t-2"]


def test_an_event_without_a_subscription_is_never_the_same(post_event, accepting):
    for _ in range(2):
        assert post_event(external_subscription_id=None).status_code == 200
    assert UsageEvent.objects.count() == 2


def test_another_services_identical_event_is_none_of_this_one(post_event, accepting, service):
    factories.UsageEventFactory(transaction_id="t-1", code="api", properties={})
    answer = post_event().json()["event"]
    assert answer["lago_id"] == str(UsageEvent.objects.get(service=service).public_id)


def test_by_default_it_is_refused(post_event, post_batch):
    post_event()
    assert refused(post_event()) == TAKEN
    assert refused(post_batch(make_event("t-0"), make_event("t-1"))) == {"1": TAKEN}


def test_what_another_request_stores_in_between_is_sorted_out_anew(service, monkeypatch):
    """The in-batch repeat of an event that another request won with another body is no identical event."""
    service.is_resend_accepted = service.is_batch_partial = True
    known, mine, repeat = make_posted("known"), make_posted("t"), make_posted("t")
    theirs = make_posted("t", properties=b'{"value":"9"}')
    from ingest import intake

    store = intake.store_events
    store(service_id=service.pk, events=[known])
    calls = []

    def overtaken(**values):
        calls.append(values)
        if len(calls) == 2:
            store(service_id=service.pk, events=[theirs])
        return store(**values)

    monkeypatch.setattr(intake, "store_events", overtaken)
    events = {0: known, 1: mine, 2: repeat, 3: make_posted("new")}
    taken = take_events(
        service_id=service.pk, key_id=None, terms=terms_of(service), events=events, is_whole=True
    )
    assert (set(taken.new), set(taken.resent), set(taken.refused)) == ({3}, {0}, {1, 2})
    assert stored() == ["known", "new", "t"]


# --- larger batches ----------------------------------------------------------------------------------------


def test_a_batch_holds_as_many_events_as_the_service_chose(post_batch, choose):
    choose(events_batch_max=120)
    assert post_batch(*(make_event(f"t-{number}") for number in range(120))).status_code == 200
    assert refused(post_batch(*[make_event()] * 121)) == {"events": ["too_many_events"]}
    choose(events_batch_max=1)
    assert refused(post_batch(*[make_event()] * 2)) == {"events": ["too_many_events"]}


@pytest.mark.parametrize("number", [0, 10_001])
def test_a_batch_without_bounds_is_no_choice(service, operator, number):
    with pytest.raises(ValidationError):
        configure(service=service, values={"events_batch_max": number}, actor=operator)
    service.events_batch_max = number
    with pytest.raises(IntegrityError, match="service_batch_is_bounded"):
        service.save()


# --- in part -----------------------------------------------------------------------------------------------


def test_the_good_events_of_a_batch_are_stored_and_the_others_named(post_batch, partial):
    post_batch(make_event("t-4"))
    response = post_batch(
        make_event("t-0"),
        make_event("t-1", timestamp="2024-03-15T12:00:00Z"),
        make_event("t-2", properties={"a": "\0"}),
        make_event("t-2"),
        make_event("t-4"),
        make_event("t-0"),
    )
    assert response.status_code == 200
    assert ids(response) == ["t-0", "t-2"]
    assert response.json()["errors"] == {
        "1": {"timestamp": ["invalid_format"]},
        "2": {"properties": ["value_is_invalid"]},
        "4": TAKEN,
        "5": TAKEN,
    }
    assert stored() == ["t-0", "t-2", "t-4"]


def test_an_expression_without_a_result_is_told_as_a_text(post_batch, partial, service, monkeypatch):
    monkeypatch.setattr(expressions, "_trusted", {})
    factories.MetricFactory(service=service, code="api", expression="event.properties.n * 2")
    response = post_batch(make_event("t-0", properties={"n": 1}), make_event("t-1"))
    assert response.json()["errors"] == {"1": "expression_evaluation_failed: Variable: n not found"}
    assert stored() == ["t-0"]


def test_a_batch_that_is_all_good_is_answered_as_in_lago(post_batch, partial):
    assert list(post_batch(make_event("t-0"), make_event("t-1")).json()) == ["events"]


def test_a_batch_of_which_nothing_is_good_is_refused_as_in_lago(post_batch, post_event, partial):
    post_event()
    assert refused(post_batch(make_event("t-1"), {})).keys() == {"0", "1"}
    assert refused(post_event()) == TAKEN


def test_in_part_and_sent_again_go_together(post_batch, choose):
    choose(is_resend_accepted=True, is_batch_partial=True)
    post_batch(make_event("t-1"), make_event("t-2"))
    response = post_batch(make_event("t-1"), make_event("t-2", code="other"), make_event("t-3"))
    assert (ids(response), response.json()["errors"]) == (["t-1", "t-3"], {"1": TAKEN})


# --- who chooses -------------------------------------------------------------------------------------------


def test_one_services_choice_is_not_anothers(post_event, choose):
    factories.ServiceFactory(is_resend_accepted=True)
    post_event()
    assert refused(post_event()) == TAKEN


def test_an_operator_chooses_in_the_admin_and_it_is_audited(client, operator, service):
    client.force_login(operator)
    page = f"/admin/ingest/service/{service.pk}/change/"
    form = {
        name: value
        for name, value in client.get(page).context["adminform"].form.initial.items()
        if value not in (None, False)
    }
    answer = client.post(page, {**form, "is_resend_accepted": "on", "events_batch_max": "500"})
    assert answer.status_code == 302
    service.refresh_from_db()
    assert (service.is_resend_accepted, service.events_batch_max) == (True, 500)
    assert AuditRecord.objects.get().after == {"is_resend_accepted": True, "events_batch_max": 500}


def test_a_request_asks_nothing_more_of_the_database(
    post_event, choose, monkeypatch, django_assert_num_queries
):
    for module in (keys, expressions):
        monkeypatch.setattr(module, "TRUST_SECONDS", 60.0)
    choose(is_resend_accepted=True, is_batch_partial=True)
    post_event("t-0")
    # A savepoint around the one statement, because the test has a transaction of its own.
    with django_assert_num_queries(2):
        post_event("t-1")
