"""`manage.py load_demo` with one account of the story: `python -m tests.runtime.short_story load_demo`."""

import os
import sys
from dataclasses import replace

import django
from django.core.management import call_command

from billing_console.runtime.commands import hold_for


def main():
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "billing_console.settings")
    with hold_for(sys.argv):
        django.setup()
        from billing_console.demo import services
        from billing_console.demo.services.custom import CUSTOM

        story = replace(CUSTOM, accounts=CUSTOM.accounts[:1], incidents=[])
        services.read_stories = lambda: [story]
        call_command(sys.argv[1])


if __name__ == "__main__":
    main()
