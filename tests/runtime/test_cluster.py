"""A database address as Django takes it."""

import pytest

from billing_console.runtime.cluster import read_database_url


def test_an_address_becomes_settings_with_what_is_left_as_options():
    settings = read_database_url("postgres://ann:s%2Fcret@db.example:6432/console?sslmode=require")

    assert settings == {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": "console",
        "USER": "ann",
        "PASSWORD": "s/cret",
        "HOST": "db.example",
        "PORT": "6432",
        "OPTIONS": {"sslmode": "require"},
    }


def test_an_address_that_cannot_be_read_is_refused_without_repeating_it():
    with pytest.raises(ValueError, match=r"^The database address cannot be read\.$"):
        read_database_url("postgres://ann:secret@db.example:6432/console?no_such_parameter=1")
