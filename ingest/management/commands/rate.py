"""`manage.py rate`: what would this cost? Questions on standard input, figures on standard output."""

import json
import sys
from decimal import Decimal
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from ingest.price_check.answering import answer_all
from ingest.price_check.errors import PriceCheckError


class Command(BaseCommand):
    """Answers price questions with the functions that rate in production."""

    help = (
        'Reads {"cases": [{"id", "kind", "charge_model", "properties", "input"}, …]} as JSON on standard input and '
        "writes {id: figures}: exact decimals as text, cents and counts as numbers. See docs/prices.md."
    )
    requires_system_checks: list[str] = []

    def handle(self, **_options: Any) -> None:
        """Answers every case; fails when the document cannot be read."""
        try:
            document = json.load(sys.stdin, parse_float=Decimal)
        except (ValueError, RecursionError) as error:
            raise CommandError(f"Standard input is no JSON document: {error}") from error
        try:
            answers = answer_all(document)
        except PriceCheckError as error:
            raise CommandError(str(error)) from error
        text = json.dumps(answers, ensure_ascii=False, indent=1)
        # Half of a surrogate pair, which JSON can escape and UTF-8 cannot write, goes out as it came.
        self.stdout.write(text.encode("utf-8", "backslashreplace").decode())
