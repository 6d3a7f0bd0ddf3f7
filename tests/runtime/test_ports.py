"""A port that cannot be had is said before anything starts."""

import socket

import pytest

from billing_console.runtime.errors import ConsoleError
from billing_console.runtime.ports import check_port, find_free_port, is_free


@pytest.fixture
def taken_port():
    """A loopback port that somebody listens on."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        yield server.getsockname()[1]


def test_a_free_port_is_not_refused_and_stays_free():
    port = find_free_port()

    check_port("127.0.0.1", port)

    assert is_free(port)


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0", "localhost"])
def test_a_taken_port_is_refused_in_words(taken_port, host):
    with pytest.raises(ConsoleError, match=f"Port {taken_port} on {host} is taken") as refusal:
        check_port(host, taken_port)

    assert refusal.value.code == "port_taken"
    assert not is_free(taken_port)


def test_an_address_of_another_machine_is_refused_in_words():
    with pytest.raises(ConsoleError, match=r"Cannot listen on 192\.0\.2\.1 port 8000") as refusal:
        check_port("192.0.2.1", 8000)

    assert refusal.value.code == "port_refused"


def test_a_host_that_is_no_address_is_refused_in_words():
    with pytest.raises(ConsoleError, match="HOST not/a/host is not an address") as refusal:
        check_port("not/a/host", 8000)

    assert refusal.value.code == "host_unknown"
