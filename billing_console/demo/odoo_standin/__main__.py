"""The command that runs the stand-in: `python -m billing_console.demo.odoo_standin`."""

from __future__ import annotations

import argparse
import os
import signal
import sqlite3
import sys
from pathlib import Path
from threading import Event

from .server import HOST, StandIn, is_loopback
from .settings import Settings


def main(arguments: list[str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT, then return 0; return 1 with one line when it cannot start."""
    options = _parse(arguments)
    if not is_loopback(options.host) and not options.allow_remote:
        return _complain(f"{options.host} is not a loopback address; --allow-remote serves it all the same")
    stopping = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    settings = Settings(
        database=options.database,
        login=options.login,
        key=os.environ.get("ODOO_API_KEY") or Settings().key,
        data=options.data,
        with_fusion=options.with_fusion,
    )
    try:
        stand_in = StandIn(settings, host=options.host, port=options.port)
    except OSError as error:
        return _complain(f"cannot listen on {options.host}:{options.port}: {error.strerror}")
    except sqlite3.Error as error:
        return _complain(f"cannot use {options.data}: {error}")
    stand_in.run()
    print(f"Odoo stand-in (not Odoo) ready on {stand_in.url}, database {settings.database}", flush=True)
    stopping.wait()
    stand_in.stop()
    return 0


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="odoo_standin",
        description="A stand-in that answers OdooRPC as an Odoo 19 server does. The key is ODOO_API_KEY.",
    )
    default = Settings()
    parser.add_argument("--host", default=HOST, help="address to listen on (default: %(default)s)")
    parser.add_argument(
        "--port", type=_read_port, default=8069, help="0 takes a free one (default: %(default)s)"
    )
    parser.add_argument("--data", type=Path, help="file that keeps the records; in memory without it")
    parser.add_argument("--database", default=os.environ.get("ODOO_DB") or default.database)
    parser.add_argument("--login", default=os.environ.get("ODOO_LOGIN") or default.login)
    parser.add_argument("--with-fusion", action="store_true", help="install the optional billing models")
    parser.add_argument("--allow-remote", action="store_true", help="listen beyond this machine")
    return parser.parse_args(arguments)


def _read_port(written: str) -> int:
    port = int(written)
    if not 0 <= port < 2**16:
        raise argparse.ArgumentTypeError(f"{port} is not a port: 0 to 65535")
    return port


def _complain(reason: str) -> int:
    print(f"Odoo stand-in: {reason}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
