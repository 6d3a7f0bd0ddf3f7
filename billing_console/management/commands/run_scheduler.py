"""`manage.py run_scheduler`: the schedule, in one process at a time."""

import time
from typing import Any

from django.core.management.base import BaseCommand
from django.db import connection

from billing_console.celery import app

# Any constant does: it names this lock in the database.
LOCK = 7_011_882_030
RETRY_SECONDS = 5


class Command(BaseCommand):
    help = "Runs Celery's scheduler under an advisory lock: a second one waits until the first is gone."

    def handle(self, *args: Any, **options: Any) -> None:
        # The lock lives as long as this connection; a killed scheduler releases it with its connection.
        while not _take_lock():
            self.stdout.write("Another scheduler runs; waiting for it to end.")
            time.sleep(RETRY_SECONDS)
        app.Beat(loglevel="WARNING", schedule=app.conf.beat_schedule_filename, quiet=True).run()


def _take_lock() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [LOCK])
        return bool(cursor.fetchone()[0])
