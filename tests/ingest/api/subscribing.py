"""What the tests of subscriptions share: when they happen, and what an answer says."""

from datetime import UTC, datetime

NOW = datetime(2026, 10, 20, 12, 0, 0, 250_000, tzinfo=UTC)


def shown(answer):
    """The subscription of an answer that is 200."""
    assert answer.status_code == 200, answer.content
    return answer.json()["subscription"]


def gone(answer):
    """Whether there is no such subscription."""
    return (answer.status_code, answer.json()["code"]) == (404, "subscription_not_found")
