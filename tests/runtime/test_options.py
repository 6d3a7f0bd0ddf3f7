"""What a person may set about a run, and what a wrong value says."""

import pytest

from billing_console.runtime import options as module
from billing_console.runtime.errors import ConsoleError
from billing_console.runtime.options import read_options

NAMES = ("DATA_DIR", "HOST", "PORT", "DATABASE_URL", "DEMO", "ENVIRONMENT", "ODOO_URL", "ODOO_STANDIN_PORT")


@pytest.fixture(autouse=True)
def empty_environment(monkeypatch, tmp_path):
    """No setting of this machine, and a project without an `.env`."""
    monkeypatch.setattr(module, "PROJECT", tmp_path)
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)


def test_without_settings_the_demo_runs_on_loopback_with_its_files_in_the_project(tmp_path):
    options = read_options()

    assert options.data_dir == tmp_path / ".data"
    assert options.address == "http://127.0.0.1:8000/"
    assert options.has_demo
    assert not options.database_url


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("0.0.0.0", "http://127.0.0.1:8000/"),
        ("::", "http://[::1]:8000/"),
        ("::1", "http://[::1]:8000/"),
        ("console.example", "http://console.example:8000/"),
    ],
)
def test_the_address_is_one_that_a_browser_here_can_open(monkeypatch, host, address):
    monkeypatch.setenv("HOST", host)

    assert read_options().address == address


@pytest.mark.parametrize(
    ("name", "value"), [("ODOO_URL", "https://odoo.example"), ("DEMO", "0"), ("ENVIRONMENT", "production")]
)
def test_no_demo_beside_a_real_odoo_in_production_or_when_it_is_turned_off(monkeypatch, name, value):
    monkeypatch.setenv(name, value)

    assert not read_options().has_demo


def test_each_wrong_setting_is_one_line(monkeypatch):
    monkeypatch.setenv("PORT", "eighty")
    monkeypatch.setenv("DEMO", "perhaps")

    with pytest.raises(ConsoleError) as refusal:
        read_options()

    assert refusal.value.code == "options_wrong"
    assert str(refusal.value).splitlines() == [
        "PORT is not valid. PORT must be a whole number from 1 to 65535.",
        "DEMO is not valid. DEMO must be 1 or 0.",
    ]
