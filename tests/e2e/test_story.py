"""What the console is for, done by people in a real browser: a delta is understood and resolved, a service moves."""

import json
import re
import urllib.request
from datetime import date, timedelta

from playwright.sync_api import expect

# What a run takes on a machine that is busy with other tests.
RUN_SECONDS = 120
REAL_PERIOD = "2024-09"


def post_event(console, key, **event):
    """An answered event is durable: the status, as a service's developer gets it."""
    request = urllib.request.Request(
        f"{console.address}/api/v1/events",
        data=json.dumps({"event": event}).encode(),
        headers={"Authorization": f"Bearer {key}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        return answer.status


def read_amount(page, side):
    """The untaxed amount of a side, as the page of a reconciliation shows it."""
    row = page.locator("section", has_text="Both sides").locator(
        "tr", has=page.get_by_role("rowheader", name=side)
    )
    return row.first.locator("td").first.inner_text()


def read_first(page, section, words):
    """The first part of the first small line with these words in a section."""
    lines = page.locator("section", has_text=section).locator("small", has_text=words)
    return lines.first.inner_text().split(" · ")[0]


def open_largest_real_delta(page):
    """From the overview to the page of NexaCloud's largest delta in the real rows."""
    page.goto(f"/admin/?service=nexacloud&period={REAL_PERIOD}")
    page.locator("section", has_text="Largest open deltas").locator("tbody a").first.click()
    expect(page.locator(".sentence")).to_contain_text("September 2024")


def wait_for_run(page):
    """The run's progress shows on the page, which follows it to its end."""
    expect(page.locator("section.run")).to_be_visible()
    expect(page.locator("section.run")).to_contain_text("Succeeded", timeout=RUN_SECONDS * 1000)


def test_finance_understands_a_real_delta_pushes_its_usage_and_resolves_it(console, sign_in):
    page = sign_in("finance")
    open_largest_real_delta(page)
    before = read_amount(page, "Odoo")

    # A service's developer posts usage of that period: Odoo does not know of it yet.
    key = console.manage("create_api_key", "--service", "nexacloud").splitlines()[-1]
    event = {
        "transaction_id": "posted-in-the-browser-test",
        "external_subscription_id": read_first(page, "How our side was computed", "from"),
        "code": read_first(page, "Line by line", "· usage"),
        "timestamp": 1726000000,
        "properties": {"quantity": "1000000"},
    }
    assert post_event(console, key, **event) == 200

    page.get_by_role("button", name="Push to Odoo").click()
    page.get_by_role("button", name="Write 1 to Odoo").click()
    wait_for_run(page)
    assert read_amount(page, "Odoo") != before

    page.get_by_text("Resolve…").click()
    page.locator("[name=reason]:visible").fill("A credit that the provider gave; it stays with the provider.")
    page.get_by_role("button", name="Resolve", exact=True).click()
    expect(page.locator(".badges").first).to_contain_text("Resolved")

    page.goto("/admin/ingest/auditrecord/")
    expect(page.locator("#result_list tbody tr").first).to_contain_text("reconciliation.resolve")


def test_on_a_phone_the_queues_rows_are_short_and_no_page_is_wider_than_the_screen(sign_in):
    page = sign_in("finance")
    page.set_viewport_size({"width": 390, "height": 844})
    queue = f"/admin/reconciliation/reconciliation/?service=nexacloud&period={REAL_PERIOD}&view=triage"
    page.goto(queue)
    rows = page.locator("#result_list tr.data-row")
    assert max(rows.evaluate_all("rows => rows.map(row => row.offsetHeight)")) <= 220
    for fact in ("customer, service", "period", "status", "delta", "cause"):
        expect(rows.first.locator(f"[data-label='{fact}']")).to_be_visible()

    rows.first.locator("th a").click()
    opened = page.url.removeprefix(page.url.split("/admin/")[0])
    for address in ("/admin/", queue, opened, "/admin/ingest/service/", "/admin/reconciliation/run/"):
        page.goto(address)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, address


def test_finance_asks_for_the_cutover_and_another_person_approves_it(console, sign_in):
    effective = (date.today().replace(day=1) + timedelta(days=62)).replace(day=1)
    asking = sign_in("finance")
    asking.goto("/admin/ingest/service/")
    asking.get_by_role("link", name="NexaCloud").first.click()
    asking.get_by_role("link", name="Request cutover…").click()
    asking.get_by_label("Effective date").fill(effective.isoformat())
    asking.get_by_label("Comment").fill("Two clean periods.")
    asking.get_by_role("button", name=re.compile("Request")).click()
    asking.get_by_role("link", name="The cutover of NexaCloud").click()
    expect(asking.locator(".badges").first).to_contain_text("Waiting for approval")
    expect(asking.get_by_text("Approve")).to_have_count(0)

    deciding = sign_in("manager")
    deciding.goto(asking.url.removeprefix(console.address))
    deciding.locator("summary", has_text="Approve").click()
    deciding.get_by_role("button", name="Approve", exact=True).click()
    expect(deciding.locator(".badges").first).to_contain_text("Approved")

    deciding.goto("/admin/reconciliation/delivery/")
    expect(deciding.locator("#result_list")).to_contain_text("cutover.approved")


def test_whoever_is_both_finance_and_manager_is_refused_their_own_request(console, sign_in):
    console.manage(
        "shell",
        "-c",
        "from django.contrib.auth.models import Group, User;"
        "both = User.objects.create_user('both', password='both-of-them-1', is_staff=True);"
        "both.groups.set(Group.objects.filter(name__in=['finance', 'manager']))",
    )
    page = sign_in("both", "both-of-them-1")
    page.goto("/admin/ingest/service/")
    page.get_by_role("link", name="Memberships").first.click()
    page.get_by_role("link", name="Request cutover…").click()
    page.get_by_label("Effective date").fill((date.today() + timedelta(days=90)).isoformat())
    page.get_by_role("button", name=re.compile("Request")).click()
    page.get_by_role("link", name="The cutover of Memberships").click()

    expect(page.get_by_text("You asked for it, so another manager decides.")).to_be_visible()
    expect(page.locator("summary", has_text="Approve")).to_have_count(0)
    # The page is not what refuses: the same request by hand is refused too.
    token = page.locator("[name=csrfmiddlewaretoken]").first.input_value()
    answer = page.request.post(
        page.url.replace("/change/", "/approve/"),
        form={"csrfmiddlewaretoken": token, "reason": ""},
        headers={"Referer": page.url},
    )
    assert "Whoever asked for a cutover may not" in answer.text()
    page.reload()
    expect(page.locator(".badges").first).to_contain_text("Waiting for approval")
