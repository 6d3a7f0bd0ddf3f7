"""Static files are collected again only when something has changed."""

import pytest

from billing_console.runtime import static_files


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project with one static file, and a data directory that something was collected into."""
    monkeypatch.setattr(static_files, "PROJECT", tmp_path)
    (tmp_path / "static").mkdir()
    (tmp_path / "static" / "console.css").write_text("body {}")
    (tmp_path / "requirements.txt").write_text("django==5.2.19\n")
    (tmp_path / "data" / "static").mkdir(parents=True)
    return tmp_path


def test_nothing_is_collected_before_it_is_noted(project):
    assert not static_files.is_collected(project / "data")

    static_files.note_collected(project / "data")

    assert static_files.is_collected(project / "data")


@pytest.mark.parametrize("changed", ["static/console.css", "static/new.js", "requirements.txt"])
def test_a_changed_file_or_package_asks_for_another_collection(project, changed):
    static_files.note_collected(project / "data")

    (project / changed).write_text("something else")

    assert not static_files.is_collected(project / "data")
