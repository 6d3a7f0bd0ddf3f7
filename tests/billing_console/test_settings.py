"""Every setting is known in three places: the code, `.env.example`, and the system checks that name it."""

import re
from itertools import pairwise
from pathlib import Path

from billing_console.checks import IDS

PROJECT = Path(__file__).resolve().parents[2]
READ = re.compile(r'env\.(?P<kind>text|integer|flag|choice|words|url)\(\s*"(?P<name>[A-Z_]+)"')
# A text or a list of words cannot be wrong by its form.
PARSED = {"integer", "flag", "choice", "url"}


def read_names(kinds=None):
    sources = ["billing_console/settings.py", "billing_console/runtime/options.py"]
    found = [match for source in sources for match in READ.finditer((PROJECT / source).read_text())]
    return {match["name"] for match in found if kinds is None or match["kind"] in kinds}


def test_every_setting_is_in_the_example_with_a_line_on_what_it_does():
    lines = (PROJECT / ".env.example").read_text().splitlines()
    explained = {
        line[1:].split("=")[0]
        for before, line in pairwise(lines)
        if re.match(r"#[A-Z_]+=", line) and (before.startswith("# ") or re.match(r"#[A-Z_]+=", before))
    }
    assert explained == read_names()


def test_every_setting_that_can_be_wrong_has_a_check_with_an_id():
    assert read_names(PARSED) <= IDS.keys()


def test_no_two_checks_share_an_id():
    assert len(set(IDS.values())) == len(IDS)
