"""The rooms and their sizes, kept by a standing guard: who may import whom, how long a file and a function may be."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import call_command

PROJECT = Path(__file__).resolve().parents[1]
ROOMS = ("billing_console", "ingest", "reconciliation", "tests")
LONGEST_FILE = 400
LONGEST_FUNCTION = 60
# Written by a machine: a first migration is as long as its models are many.
GENERATED = re.compile(r"/migrations/0001_initial\.py$")
FORBIDDEN_NAMES = {"utils.py", "helpers.py", "manager.py", "core.py", "common.py"}

SOURCES = sorted(
    path
    for room in ROOMS
    for path in (PROJECT / room).rglob("*.py")
    if not GENERATED.search(path.as_posix()) and "__pycache__" not in path.parts
)


def name_of(path):
    return path.relative_to(PROJECT).as_posix()


def functions_of(path):
    tree = ast.parse(path.read_text(), filename=str(path))
    return [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]


def test_the_import_contracts_hold():
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True))",
        ],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 broken" in done.stdout


@pytest.mark.django_db
def test_the_migrations_are_those_of_the_models():
    call_command("makemigrations", "--check", "--dry-run", verbosity=0)


def test_no_file_is_longer_than_one_reads_at_once():
    too_long = {
        name_of(path): lines for path in SOURCES if (lines := path.read_text().count("\n")) > LONGEST_FILE
    }
    assert too_long == {}


def test_no_function_is_longer_than_a_screen():
    too_long = {
        f"{name_of(path)}:{function.lineno} {function.name}": length
        for path in SOURCES
        for function in functions_of(path)
        if (length := function.end_lineno - function.lineno + 1) > LONGEST_FUNCTION
    }
    assert too_long == {}


def test_every_module_says_what_it_is_for():
    silent = [
        name_of(path)
        for path in SOURCES
        if path.read_text().strip() and not ast.get_docstring(ast.parse(path.read_text()))
    ]
    assert silent == []


def test_no_module_is_called_by_what_it_is_not():
    assert [name_of(path) for path in SOURCES if path.name in FORBIDDEN_NAMES] == []


def test_no_model_saves_in_a_way_of_its_own():
    """State changes are functions that one can read; a hidden `save` is not."""
    overrides = [
        f"{name_of(path)}:{function.lineno}"
        for path in SOURCES
        if "/models/" in path.as_posix()
        for function in functions_of(path)
        if function.name in {"save", "delete"}
    ]
    assert overrides == []


def test_the_guards_see_what_they_guard(tmp_path):
    long = tmp_path / "long.py"
    long.write_text("def walk():\n" + "    step = 1\n" * LONGEST_FUNCTION)
    (function,) = functions_of(long)
    assert function.end_lineno - function.lineno + 1 > LONGEST_FUNCTION
    assert len(SOURCES) > 200
