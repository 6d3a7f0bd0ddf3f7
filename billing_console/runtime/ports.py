"""Ports on this machine: whether one can be had, and finding one that can."""

import errno
import socket

from billing_console.runtime.errors import ConsoleError


def check_port(host: str, port: int) -> None:
    """Refuses, in words, an address that cannot be listened on."""
    try:
        addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError as error:
        raise ConsoleError("host_unknown", f"HOST {host} is not an address of this machine.") from error
    try:
        _bind(addresses[0][0], addresses[0][4])
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            message = f"Port {port} on {host} is taken by another program. Set PORT to a free one."
            raise ConsoleError("port_taken", message) from error
        message = f"Cannot listen on {host} port {port}: {error.strerror}."
        raise ConsoleError("port_refused", message) from error


def is_free(port: int) -> bool:
    """Whether a loopback port can be listened on now."""
    try:
        _bind(socket.AF_INET, ("127.0.0.1", port))
    except OSError:
        return False
    return True


def find_free_port() -> int:
    """A loopback port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _bind(family: int, address: object) -> None:
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        # Connections of a server that just ended must not count as a server.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(address)  # type: ignore[arg-type]
        probe.listen(1)
