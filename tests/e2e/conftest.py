"""The whole console with its demo, as `make run` starts it, and a browser to look at it with."""

import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from billing_console.demo.logins import LOGINS
from billing_console.runtime import postmaster, standin
from billing_console.runtime.cluster import locate
from billing_console.runtime.directory import PROJECT
from billing_console.runtime.leftovers import clear_leftovers
from billing_console.runtime.removal import remove_files
from tests import needs
from tests.data_dirs import build_environment, copy_demo
from tests.runtime.watching import start_python, wait_for_text

START_SECONDS = 120.0
STOP_SECONDS = 60
CHROMIUM = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]


@dataclass(frozen=True)
class Console:
    """A console that runs, and the shell of whoever started it."""

    environment: dict[str, str]

    @property
    def address(self):
        return f"http://127.0.0.1:{self.environment['PORT']}"

    def manage(self, *arguments):
        """The output of a management command beside the console; it must succeed."""
        command = [sys.executable, "manage.py", *arguments]
        done = subprocess.run(
            command,
            cwd=PROJECT,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def console():
    """A console on ports of its own and a copy of the loaded demo, as its second start; stopped as Ctrl-C does."""
    needs.browser()
    parent = Path(tempfile.mkdtemp(prefix="console-")).resolve()
    parent.chmod(0o755)
    data_dir = parent / "data"
    copy_demo(data_dir)
    environment = build_environment(data_dir)
    process = start_python("-m", "billing_console.runtime", log=parent / "terminal", env=environment)
    try:
        text = wait_for_text(parent / "terminal", "Ready in", START_SECONDS)
        assert "load-demo    | The demo is loaded already." in text
        yield Console(environment)
        process.terminate()
        assert process.wait(STOP_SECONDS) == 0
    finally:
        process.kill()
        process.wait()
        clear_leftovers(data_dir)
        postmaster.stop(locate(data_dir))
        standin.stop(data_dir)
        remove_files(data_dir)
        shutil.rmtree(parent)


@pytest.fixture(scope="module")
def browser():
    """A headless Chromium of this machine."""
    program = needs.browser()
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=str(program), args=CHROMIUM)
        yield chromium
        chromium.close()


@pytest.fixture
def sign_in(console, browser):
    """Gives the page of somebody who has just signed in; what a page logs as an error fails the test."""
    contexts, errors = [], []
    passwords = {login.username: login.password for login in LOGINS}

    def sign_in(username, password=None):
        context = browser.new_context(base_url=console.address, viewport={"width": 1440, "height": 1000})
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto("/")
        page.get_by_label("Username").fill(username)
        page.get_by_label("Password").fill(password or passwords[username])
        page.get_by_role("button", name="Log in").click()
        page.wait_for_url("**/admin/")
        return page

    yield sign_in
    for context in contexts:
        context.close()
    assert errors == []
