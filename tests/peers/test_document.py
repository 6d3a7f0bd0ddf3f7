"""The API does what its own document says, whatever is sent to it: generated calls, by Schemathesis."""

import os
import subprocess
import sys

import pytest

pytestmark = pytest.mark.django_db(transaction=True)

CALLS_EACH = 10
CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"


def test_no_call_breaks_the_server_or_the_document(address, key, tmp_path):
    # One worker: in threads CPython 3.11 loses count of its parser's depth when Hypothesis describes a strategy.
    command = [
        *(os.path.join(os.path.dirname(sys.executable), "schemathesis"), "run", f"{address}/api/schema"),
        *("--header", f"Authorization: Bearer {key}", "--checks", CHECKS),
        *("--max-examples", str(CALLS_EACH), "--phases", "examples,coverage,fuzzing"),
        *("--workers", "1", "--seed", "1", "--request-timeout", "20", "--suppress-health-check", "all"),
    ]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=600, check=False)
    assert run.returncode == 0, run.stdout[-8000:]
