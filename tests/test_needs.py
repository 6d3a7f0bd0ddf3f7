"""A program that a test needs is found, or the test skips, or fails where it may not skip."""

import pytest

from tests import needs

KINDS = [("browser", needs.browser), ("broker", needs.rabbitmq), ("node", needs.node)]


@pytest.fixture(params=KINDS, ids=[name for name, _ in KINDS])
def kind(request, monkeypatch, tmp_path):
    """One kind of program, on a machine that has none."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("BILLING_CONSOLE_REQUIRE", raising=False)
    return request.param


def test_without_the_program_a_test_skips_and_says_what_it_needs(kind):
    _, need = kind

    with pytest.raises(pytest.skip.Exception, match="This test needs"):
        need()


def test_without_a_required_program_a_test_fails(kind, monkeypatch):
    name, need = kind
    monkeypatch.setenv("BILLING_CONSOLE_REQUIRE", f"other, {name}")

    with pytest.raises(pytest.fail.Exception, match="BILLING_CONSOLE_REQUIRE names it"):
        need()


def test_the_program_is_found_on_the_path(monkeypatch, tmp_path):
    program = tmp_path / "node"
    program.touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))

    assert needs.node() == program


def test_a_client_that_is_not_installed_is_missed_too(monkeypatch, tmp_path):
    program = tmp_path / "node"
    program.touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("BILLING_CONSOLE_REQUIRE", raising=False)

    with pytest.raises(pytest.skip.Exception, match="npm ci"):
        needs.javascript_client(tmp_path)
    monkeypatch.setenv("BILLING_CONSOLE_REQUIRE", "node")
    with pytest.raises(pytest.fail.Exception, match="BILLING_CONSOLE_REQUIRE names it"):
        needs.javascript_client(tmp_path)
    (tmp_path / "node_modules").mkdir()
    assert needs.javascript_client(tmp_path) == program
