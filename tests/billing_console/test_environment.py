"""Typed settings from the environment: a wrong value becomes a problem that does not repeat it, never a traceback."""

from pathlib import Path

import pytest

from billing_console.environment import Environment, Problem


@pytest.fixture
def env(monkeypatch):
    """Reads the one setting that a test gives it, and has found nothing wrong yet."""

    def read(value):
        if value is None:
            monkeypatch.delenv("SETTING", raising=False)
        else:
            monkeypatch.setenv("SETTING", value)
        return Environment()

    return read


@pytest.mark.parametrize("value", [None, "", "   "])
def test_what_is_not_set_or_empty_is_the_default_and_no_problem(env, value):
    found = env(value)
    assert found.text("SETTING", "plain") == "plain"
    assert found.integer("SETTING", 7) == 7
    assert found.flag("SETTING", True) is True
    assert found.choice("SETTING", "a", ("a", "b")) == "a"
    assert found.words("SETTING", ["x"]) == ["x"]
    assert found.url("SETTING", "", ("http",)) == ""
    assert found.problems == []


@pytest.mark.parametrize(("value", "number"), [("8000", 8000), (" 1 ", 1), ("65535", 65535)])
def test_a_whole_number_within_its_bounds_is_taken(env, value, number):
    found = env(value)
    assert found.integer("SETTING", 80, minimum=1, maximum=65535) == number
    assert found.problems == []


@pytest.mark.parametrize("value", ["abc", "0", "65536", "-1", "8000.5", "8e3", "0x10"])
def test_any_other_text_is_a_problem_and_the_default_stands(env, value):
    found = env(value)
    assert found.integer("SETTING", 80, minimum=1, maximum=65535) == 80
    hint = "SETTING must be a whole number from 1 to 65535."
    assert found.problems == [Problem("SETTING", "SETTING is not valid.", hint)]


@pytest.mark.parametrize(
    ("value", "truth"),
    [("1", True), ("true", True), ("YES", True), ("on", True), ("0", False), ("False", False), ("no", False)],
)
def test_a_flag_has_a_few_words_for_yes_and_no(env, value, truth):
    assert env(value).flag("SETTING", not truth) is truth


def test_a_flag_of_another_word_is_a_problem(env):
    found = env("perhaps")
    assert found.flag("SETTING", True) is True
    assert [problem.hint for problem in found.problems] == ["SETTING must be 1 or 0."]


def test_a_choice_is_one_of_its_words(env):
    assert env("b").choice("SETTING", "a", ("a", "b")) == "b"
    found = env("c")
    assert found.choice("SETTING", "a", ("a", "b")) == "a"
    assert [problem.hint for problem in found.problems] == ["SETTING must be one of a, b."]


def test_words_are_parted_by_commas(env):
    assert env(" a, b ,,c ").words("SETTING", []) == ["a", "b", "c"]


@pytest.mark.parametrize("value", ["http://127.0.0.1:8069", "https://odoo.example.com/", "http://[::1]:80"])
def test_an_address_with_a_known_scheme_is_taken(env, value):
    assert env(value).url("SETTING", "", ("http", "https")) == value


def test_a_database_behind_a_socket_has_no_host(env):
    address = "postgres://ann@/console?host=%2Frun%2Fpostgres&port=5432"
    assert env(address).url("SETTING", "", ("postgres",)) == address


@pytest.mark.parametrize(
    "value",
    [
        "odoo.example.com",
        "nonsense://odoo.example.com",
        "http://",
        "http://[",
        "http://odoo.example.com:abc",
        "http://odoo.example.com:99999",
        "http://odoo.example.com:0",
    ],
)
def test_any_other_address_is_a_problem(env, value):
    found = env(value)
    assert found.url("SETTING", "", ("http", "https")) == ""
    hint = "SETTING must be an address that starts with http or https://."
    assert found.problems == [Problem("SETTING", "SETTING is not valid.", hint)]


def test_a_wrong_value_is_not_repeated_because_it_may_be_a_secret(env):
    found = env("postgres://ann:hunter2@db.example:abc")
    found.url("SETTING", "", ("postgres",))
    found.integer("SETTING", 1)
    assert len(found.problems) == 2
    assert "hunter2" not in str(found.problems)


def test_what_cannot_be_done_without_is_a_problem_when_it_is_empty(env):
    found = env(None)
    found.require("SETTING", "", "Set it.")
    found.require("OTHER", "there", "Set it.")
    assert found.problems == [Problem("SETTING", "SETTING is not set.", "Set it.")]


def test_a_file_fills_in_what_the_environment_does_not_say(env, tmp_path, monkeypatch):
    file = tmp_path / ".env"
    file.write_text("SETTING=from the file\nONLY_IN_FILE=7\n")
    monkeypatch.setenv("SETTING", "from the environment")
    monkeypatch.setenv("ONLY_IN_FILE", "")
    monkeypatch.delenv("ONLY_IN_FILE")
    found = Environment(file)
    assert (found.text("SETTING"), found.integer("ONLY_IN_FILE", 1)) == ("from the environment", 7)


def test_a_file_that_is_not_there_is_no_problem(tmp_path: Path):
    assert Environment(tmp_path / "no.env").problems == []
