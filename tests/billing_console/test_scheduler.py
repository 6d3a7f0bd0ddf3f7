"""The schedule runs in one process at a time, and names tasks that there are."""

from threading import Event, Thread

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection

from billing_console.celery import app
from billing_console.management.commands import run_scheduler

pytestmark = pytest.mark.django_db(transaction=True)


def release():
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_unlock_all()")


@pytest.fixture
def beat(monkeypatch):
    """The schedules that were started instead of running for ever."""
    started = []

    class Beat:
        def __init__(self, **options):
            self.options = options

        def run(self):
            started.append(self.options)

    monkeypatch.setattr(app, "Beat", Beat)
    yield started
    release()


def hold_elsewhere():
    """Another process's scheduler: it holds the lock until told to die with its connection."""
    is_held, may_die = Event(), Event()

    def hold():
        assert run_scheduler._take_lock()
        is_held.set()
        may_die.wait(10)
        connection.close()

    thread = Thread(target=hold)
    thread.start()
    assert is_held.wait(5)
    return thread, may_die


def test_a_scheduler_alone_runs_the_schedule_of_the_settings(beat):
    call_command("run_scheduler")
    assert beat == [
        {"loglevel": "WARNING", "schedule": settings.CELERY_BEAT_SCHEDULE_FILENAME, "quiet": True}
    ]


def test_a_second_one_waits_until_the_first_is_gone(beat, monkeypatch, capsys):
    first, may_die = hold_elsewhere()

    def sleep(seconds):
        assert beat == []
        may_die.set()
        first.join(5)

    monkeypatch.setattr(run_scheduler.time, "sleep", sleep)
    call_command("run_scheduler")
    assert len(beat) == 1
    # It asks again until the server has noticed that the first one's connection is gone.
    assert set(capsys.readouterr().out.splitlines()) == {"Another scheduler runs; waiting for it to end."}


def test_every_task_of_the_schedule_is_registered():
    app.loader.import_default_modules()
    scheduled = {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()}
    assert scheduled <= set(app.tasks)
    assert "reconciliation.tasks.execute_run" in app.tasks
