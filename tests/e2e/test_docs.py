"""A service's developer reads the API's page and tries a call, on a machine without the internet."""

import os
import subprocess
import sys
from contextlib import closing
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from billing_console.runtime.directory import PROJECT
from tests.web_server import serve


@pytest.fixture
def address(tmp_path):
    """A web server with its static files collected, as a console has them; the page asks no database."""
    environment = {**os.environ, "DATA_DIR": str(tmp_path)}
    command = [sys.executable, "manage.py", "collectstatic", "--noinput", "--verbosity", "0"]
    subprocess.run(command, cwd=PROJECT, env=environment, check=True, timeout=120)
    with serve(tmp_path, DATA_DIR=str(tmp_path)) as server:
        yield f"http://127.0.0.1:{server.port}"


def test_the_page_is_whole_without_the_internet_under_a_strict_policy(address, browser):
    asked, problems = set(), []
    with closing(browser.new_context(base_url=address)) as context:
        page = context.new_page()
        page.on("request", lambda request: asked.add(urlsplit(request.url)))
        page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: problems.append(str(error)))
        answer = page.goto("/api/docs")
        policy = answer.headers["content-security-policy"]
        assert "script-src 'self';" in policy
        expect(page.locator("#operations-events-create_event")).to_be_visible(timeout=30_000)
        page.locator("#operations-events-create_event").click()
        page.get_by_role("button", name="Try it out").click()
        page.get_by_role("button", name="Execute").click()
        expect(page.locator(".live-responses-table").first).to_contain_text('"error": "Unauthorized"')
    foreign = {
        part.geturl() for part in asked if part.scheme != "data" and f"http://{part.netloc}" != address
    }
    assert foreign == set()
    assert [text for text in problems if "401" not in text] == []
