"""`manage.py load_demo`: loads the demo's story into an empty console, or goes on with an interrupted load."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from billing_console.demo import journal, loading
from billing_console.demo.odoo_client import DemoRefusedError
from billing_console.demo.services import read_stories


class Command(BaseCommand):
    help = "Loads the demo into an empty console and its Odoo stand-in; does nothing when it is there."

    def handle(self, *args: Any, **options: Any) -> None:
        if journal.is_loaded():
            self.stdout.write("The demo is loaded already.")
            return
        try:
            with journal.hold_lock():
                self._load()
        except (DemoRefusedError, journal.LoadFailedError) as error:
            raise CommandError(str(error)) from None

    def _load(self) -> None:
        steps = list(loading.list_steps(loading.begin(read_stories())))
        # tqdm draws on a terminal only: `disable=None`. Elsewhere each step is a line.
        with tqdm(steps, disable=None, unit="step", desc="Loading the demo") as bar:
            for step in bar:
                bar.set_postfix_str(step.title)
                if bar.disable:
                    self.stdout.write(step.title)
                step.do()
