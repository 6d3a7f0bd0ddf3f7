"""Who asked for a run or a push, as the screens say it."""

import pytest

from ingest.screens.formatting import name_person
from reconciliation.figures.requesters import name_pusher, name_requester, with_rule
from reconciliation.models import Run, RunKind
from reconciliation.runs import request_run, start_run
from tests import factories

pytestmark = pytest.mark.django_db


def said(run):
    return name_requester(with_rule(Run.objects.all()).get(pk=run.pk))


def test_a_run_names_its_person(operator):
    assert said(request_run(kind=RunKind.SYNC, service=None, actor=operator)) == name_person(operator)


@pytest.mark.parametrize(
    ("ask", "words"),
    [
        (lambda: request_run(kind=RunKind.SYNC, service=None, actor=None), "the schedule"),
        (lambda: start_run(kind=RunKind.SYNC, service=None), "a command"),
        (lambda: start_run(kind=RunKind.SYNC, service=None, rule="load_demo"), "the load of the demo"),
        (lambda: factories.RunFactory(requested_by=None), "the console itself"),
    ],
)
def test_a_run_without_a_person_names_what_asked_for_it(ask, words):
    assert said(ask()) == words


def test_a_push_names_its_person_else_what_asked_for_its_run(operator):
    run = with_rule(Run.objects.all()).get(pk=start_run(kind=RunKind.PUSH, service=None).pk)

    assert name_pusher(factories.PushFactory(requested_by=operator, run=run)) == name_person(operator)
    assert name_pusher(factories.PushFactory(requested_by=None, run=run)) == "a command"
    assert name_pusher(factories.PushFactory(requested_by=None, run=None)) == "the console itself"


def test_the_screens_of_runs_and_pushes_and_of_a_reconciliation_say_it(client, auditor):
    row = factories.ReconciliationFactory()
    run = start_run(kind=RunKind.PUSH, service=row.service, period_label=row.period_label, rule="load_demo")
    push = factories.PushFactory(customer=row.customer, run=run, requested_by=None)
    client.force_login(auditor)

    for shown in (run, push, row):
        address = f"/admin/reconciliation/{shown._meta.model_name}/{shown.pk}/change/"
        page = client.get(address).content.decode()
        assert "the load of the demo" in page, shown
        assert "the schedule" not in page, shown
    assert "the load of the demo" in client.get("/admin/reconciliation/run/").content.decode()
