"""What tests need of the machine: without it they skip, or fail where BILLING_CONSOLE_REQUIRE names it."""

import os
import shutil
from pathlib import Path
from typing import NoReturn

import pytest


def browser() -> Path:
    """The program of an installed Chromium."""
    return _need("browser", ("chromium", "chromium-browser", "google-chrome"), "a Chromium")


def rabbitmq() -> Path:
    """The program of an installed RabbitMQ server."""
    return _need("broker", ("rabbitmq-server",), "a RabbitMQ server")


def node() -> Path:
    """The program of an installed Node.js."""
    return _need("node", ("node", "nodejs"), "Node.js")


def javascript_client(folder: Path) -> Path:
    """The program of Node.js, where a folder's packages are installed beside it."""
    program = node()
    if not (folder / "node_modules").is_dir():
        _go_without("node", f"This test needs the packages of {folder.name}/package-lock.json: npm ci.")
    return program


def root() -> None:
    """The test changes users, which only root may."""
    if os.geteuid() != 0:
        pytest.skip("This test changes users and runs as root only.")


def _need(name: str, programs: tuple[str, ...], what: str) -> Path:
    found = next(filter(None, map(shutil.which, programs)), None)
    if found is not None:
        return Path(found)
    return _go_without(name, f"This test needs {what}: none of {', '.join(programs)} is on the PATH.")


def _go_without(name: str, message: str) -> NoReturn:
    required = os.environ.get("BILLING_CONSOLE_REQUIRE", "").replace(" ", "").split(",")
    if name in required:
        pytest.fail(f"{message} BILLING_CONSOLE_REQUIRE names it.")
    pytest.skip(message)
