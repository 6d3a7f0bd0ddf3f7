"""A wrong or missing setting is a system check with an id and a hint, in a process of its own: no traceback."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.checks import Error, Warning

from billing_console.checks import IDS, check_odoo_timeout, check_settings
from billing_console.environment import Problem

PROJECT = Path(__file__).resolve().parents[2]


def check(tmp_path, **environment):
    """What `manage.py check` says and how it exits, with nothing set but this."""
    known = ("PATH", "HOME", "LANG", "LC_ALL")
    inherited = {name: os.environ[name] for name in known if name in os.environ}
    return subprocess.run(
        [sys.executable, "manage.py", "check"],
        cwd=PROJECT,
        env={**inherited, "PYTHONDONTWRITEBYTECODE": "1", "DATA_DIR": str(tmp_path), **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_one_wrong_setting_of_each_kind_is_told_with_id_and_hint(tmp_path):
    """All in one process: the first wrong setting does not hide the next."""
    done = check(
        tmp_path,
        PORT="abc",
        DATABASE_URL="nonsense://",
        ODOO_TIMEOUT="5",
        ODOO_URL="http://odoo.example.com:abc",
        DEMO="perhaps",
        CELERY_BROKER_URL="smoke://signals",
    )
    assert done.returncode == 1
    for line in (
        "(billing_console.E002) PORT is not valid.",
        "HINT: PORT must be a whole number from 1 to 65535.",
        "(billing_console.E003) DATABASE_URL is not valid.",
        "HINT: DATABASE_URL must be an address such as postgres://user@host/database.",
        "(billing_console.W001) ODOO_TIMEOUT is under 60 seconds.",
        "(billing_console.E007) ODOO_URL is not valid.",
        "(billing_console.E016) DEMO is not valid.",
        "(billing_console.E006) CELERY_BROKER_URL is not valid.",
    ):
        assert line in done.stderr
    assert "Traceback" not in done.stdout + done.stderr


def test_production_without_its_secrets_is_refused_with_what_to_set(tmp_path):
    done = check(tmp_path, ENVIRONMENT="production", DATABASE_URL="postgres://ann:hunter2@db.example:abc/x")
    assert done.returncode == 1
    for name in ("SECRET_KEY", "SECRETS_KEY", "ODOO_URL", "ODOO_DB", "ODOO_LOGIN", "ODOO_API_KEY"):
        assert f"({IDS[name]}) {name} is not set." in done.stderr
    assert "Traceback" not in done.stderr
    assert "hunter2" not in done.stderr


def test_the_demo_needs_nothing_to_be_set(tmp_path):
    done = check(tmp_path)
    assert (done.returncode, done.stdout.strip()) == (0, "System check identified no issues (0 silenced).")


@pytest.mark.parametrize("name", sorted(IDS))
def test_a_problem_of_each_setting_becomes_an_error_under_its_own_id(settings, name):
    settings.ENVIRONMENT_PROBLEMS = (Problem(name, f"{name} is not valid.", f"Set {name}."),)
    assert check_settings(None) == [Error(f"{name} is not valid.", hint=f"Set {name}.", id=IDS[name])]


@pytest.mark.parametrize(("seconds", "count"), [(59, 1), (60, 0), (600, 0)])
def test_a_timeout_that_odoos_own_retries_outlast_is_a_warning(settings, seconds, count):
    settings.ODOO_TIMEOUT = seconds
    found = check_odoo_timeout(None)
    assert len(found) == count
    assert all(isinstance(message, Warning) and message.id == "billing_console.W001" for message in found)
