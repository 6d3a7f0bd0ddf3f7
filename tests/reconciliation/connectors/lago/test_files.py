"""Lago from a folder: what its API answered, as one page, as several, or as the bare list."""

import json

import pytest

from reconciliation.connectors.errors import ConnectorError
from reconciliation.connectors.lago.files import LagoFolder
from reconciliation.connectors.lago.records import Collection
from tests.lago_standin.objects import plan

ONE, TWO = plan("one"), plan("two")
LAST = {"next_page": None, "total_count": 2}


@pytest.fixture
def read(tmp_path):
    """What a folder gives for plans, once they hold this."""

    def read(content):
        content = content if isinstance(content, bytes) else json.dumps(content).encode()
        (tmp_path / "plans.json").write_bytes(content)
        return LagoFolder(tmp_path).read(Collection.PLANS, lambda read: None)

    return read


@pytest.mark.parametrize(
    ("content", "place"),
    [
        ([ONE, TWO], "plans.json, entry 2"),
        ({"plans": [ONE, TWO], "meta": LAST}, "plans.json, entry 2"),
        ({"plans": [ONE, TWO]}, "plans.json, entry 2"),
        ([{"plans": [ONE], "meta": {}}, {"plans": [TWO], "meta": LAST}], "plans.json, page 2, entry 1"),
    ],
)
def test_a_file_holds_a_page_or_several_or_the_list(read, content, place):
    listing = read(content)
    assert [record.values["code"] for record in listing.records] == ["one", "two"]
    assert listing.records[1].place == place


def test_a_file_that_is_not_there_is_a_list_nobody_gave(tmp_path):
    listing = LagoFolder(tmp_path).read(Collection.CUSTOMERS, lambda read: None)
    assert (listing.records, listing.missing) == ((), "there is no file customers.json")


def test_an_empty_array_is_an_empty_list(read):
    assert (read([]).records, read([]).missing) == ((), "")


def test_a_page_that_was_left_out_is_told(read):
    with pytest.raises(ConnectorError) as refused:
        read({"plans": [ONE], "meta": {"next_page": 2, "total_count": 2}})
    assert (refused.value.code, "1 of 2" in refused.value.message) == ("incomplete", True)


@pytest.mark.parametrize(
    "content", [b"", b'[{"lago_id": ', b"7", b'{"plan": []}', b'[{"plans": []}, 7]', b"\xff\xfe"]
)
def test_a_file_that_is_none_is_named(read, content):
    with pytest.raises(ConnectorError) as refused:
        read(content)
    assert "plans.json" in refused.value.message


def test_a_file_that_is_too_large_is_not_read(read, monkeypatch):
    monkeypatch.setattr("reconciliation.connectors.lago.files.LARGEST", 10)
    with pytest.raises(ConnectorError) as refused:
        read([ONE])
    assert refused.value.code == "too_large"


def test_no_folder_is_refused(tmp_path):
    with pytest.raises(ConnectorError) as refused:
        LagoFolder(tmp_path / "nowhere")
    assert refused.value.code == "no_folder"
