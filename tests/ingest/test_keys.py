"""API keys: shown once, kept as a digest, and found, expired or revoked within moments."""

import hashlib
import time
from datetime import timedelta

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from ingest import keys
from ingest.errors import DomainError
from ingest.keys import TRUST_SECONDS, create_key, find_caller, revoke_key
from ingest.models import ApiKey, AuditRecord
from tests import factories

pytestmark = pytest.mark.django_db


def issue(**values):
    return create_key(**{"service": factories.ServiceFactory(), "name": "production", "actor": None} | values)


def forget_trust(monkeypatch):
    """As though this process had never seen a key."""
    monkeypatch.setattr("ingest.keys._trusted", {})


def test_a_key_has_256_random_bits_behind_a_prefix_that_tells_nothing_of_them():
    issued = issue()
    mark, visible, secret = issued.key.split("_", 2)
    assert (mark, len(visible), len(secret)) == ("bc", 8, 43)
    assert issued.record.prefix == f"bc_{visible}"
    assert issue().key.split("_", 2)[1:] != [visible, secret]


def test_only_the_digest_of_a_key_is_kept():
    issued = issue()
    row = ApiKey.objects.values().get()
    assert row["digest"] == hashlib.sha256(issued.key.encode()).hexdigest()
    assert issued.key.split("_", 2)[2] not in repr([row, AuditRecord.objects.values().get(), issued])


def test_issuing_a_key_is_on_the_record(operator):
    issued = issue(actor=operator)
    entry = AuditRecord.objects.get()
    assert (entry.actor, entry.action, entry.service) == (operator, "api_key.create", issued.record.service)
    assert entry.object_id == str(issued.record.public_id)
    assert entry.after == {
        "prefix": issued.record.prefix,
        "name": "production",
        "scopes": ["ingest", "read", "manage"],
        "rate_limit": None,
        "expires_at": None,
    }


def test_who_may_not_add_keys_gets_none(finance):
    with pytest.raises(DomainError) as refused:
        issue(actor=finance)
    assert refused.value.code == "permission_denied"
    assert not ApiKey.objects.exists()
    assert not AuditRecord.objects.exists()


def test_a_key_cannot_be_issued_expired():
    with pytest.raises(DomainError) as refused:
        issue(expires_at=timezone.now())
    assert refused.value.code == "expiry_is_past"
    assert not ApiKey.objects.exists()


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"scopes": []}, "scopes_are_invalid"),
        ({"scopes": ["read", "everything"]}, "scopes_are_invalid"),
        ({"rate_limit": 0}, "rate_limit_is_invalid"),
        ({"rate_limit": 10**9}, "rate_limit_is_invalid"),
    ],
)
def test_a_key_opens_something_known_at_a_limit_that_lets_something_through(wrong, code):
    with pytest.raises(DomainError) as refused:
        issue(**wrong)
    assert refused.value.code == code
    assert not ApiKey.objects.exists()


def test_a_key_opens_what_it_was_issued_for():
    caller = find_caller(issue(scopes=["read", "ingest"], rate_limit=5).key)
    assert (caller.scopes, caller.rate_limit) == ({"ingest", "read"}, 5)
    caller = find_caller(issue().key)
    assert (caller.scopes, caller.rate_limit) == ({"ingest", "read", "manage"}, None)


def test_a_key_names_its_own_service_alone():
    first, second = issue(), issue()
    assert find_caller(first.key).service_id == first.record.service_id
    assert find_caller(second.key).service_id == second.record.service_id


@pytest.mark.parametrize("key", ["", "bc_unknown", "Bearer", "é", "\udcff", "x" * 100_000])
def test_an_unknown_key_names_nobody(key):
    assert find_caller(key) is None


def test_a_key_is_read_once_a_second(django_assert_num_queries):
    key = issue().key
    find_caller(key)
    with django_assert_num_queries(0):
        assert find_caller(key) is not None


def test_invented_keys_are_not_remembered(monkeypatch):
    forget_trust(monkeypatch)
    for number in range(100):
        find_caller(f"bc_{number}")
    assert keys._trusted == {}


def test_a_revoked_key_stops_working_within_two_seconds():
    issued = issue()
    assert find_caller(issued.key) is not None
    revoke_key(key_id=issued.record.pk, actor=None)
    time.sleep(TRUST_SECONDS + 0.05)
    assert TRUST_SECONDS < 2
    assert find_caller(issued.key) is None


def test_a_key_stops_working_at_the_moment_it_expires():
    issued = issue(expires_at=timezone.now() + timedelta(hours=1))
    assert find_caller(issued.key) is not None
    with time_machine.travel(timezone.now() + timedelta(hours=1), tick=False):
        assert find_caller(issued.key) is None


def test_revoking_is_on_the_record_once(operator):
    issued = issue()
    first = revoke_key(key_id=issued.record.pk, actor=operator)
    second = revoke_key(key_id=issued.record.pk, actor=operator)
    assert first.revoked_at == second.revoked_at
    entry = AuditRecord.objects.get(action="api_key.revoke")
    assert (entry.actor, entry.service) == (operator, issued.record.service)
    assert entry.after["revoked_at"] == first.revoked_at.isoformat()


def test_who_may_not_change_keys_revokes_none(finance):
    issued = issue()
    with pytest.raises(DomainError) as refused:
        revoke_key(key_id=issued.record.pk, actor=finance)
    assert refused.value.code == "permission_denied"
    issued.record.refresh_from_db()
    assert issued.record.revoked_at is None


def test_a_key_that_does_not_exist_cannot_be_revoked():
    with pytest.raises(DomainError) as refused:
        revoke_key(key_id=0, actor=None)
    assert refused.value.code == "unknown_key"


def test_the_last_use_is_noted_at_most_once_a_minute(monkeypatch):
    issued = issue()
    uses = []
    for seconds in (0, 30, 59, 60):
        forget_trust(monkeypatch)
        with time_machine.travel(issued.record.created_at + timedelta(seconds=seconds), tick=False):
            find_caller(issued.key)
        issued.record.refresh_from_db()
        uses.append((issued.record.last_used_at - issued.record.created_at).total_seconds())
    assert uses == [0, 0, 0, 60]


@pytest.mark.django_db(transaction=True)
def test_a_request_does_not_wait_for_whoever_edits_its_key(second_session):
    issued = issue()
    second_session.execute("SELECT FROM ingest_apikey FOR UPDATE")
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = '2s'")
    assert find_caller(issued.key) is not None
    issued.record.refresh_from_db()
    assert issued.record.last_used_at is None


def test_the_command_prints_the_key_alone_on_its_last_line(capsys):
    service = factories.ServiceFactory(code="nexacloud")
    call_command("create_api_key", service="nexacloud", name="laptop")
    key = capsys.readouterr().out.splitlines()[-1]
    assert find_caller(key).service_id == service.pk
    assert ApiKey.objects.get().name == "laptop"


def test_the_command_issues_a_key_of_few_scopes_a_limit_and_an_end(capsys):
    factories.ServiceFactory(code="nexacloud")
    options = ["--service=nexacloud", "--scope=ingest", "--scope=read", "--days=30", "--rate-limit=50"]
    call_command("create_api_key", *options)
    row = ApiKey.objects.get()
    assert (row.scopes, row.rate_limit) == (["ingest", "read"], 50)
    assert timedelta(days=29) < row.expires_at - timezone.now() <= timedelta(days=30)
    for wrong in ("--days=0", "--days=999999999", "--rate-limit=0"):
        with pytest.raises(CommandError):
            call_command("create_api_key", "--service=nexacloud", wrong)
    assert ApiKey.objects.count() == 1


def test_the_command_lists_the_services_when_it_knows_none_of_that_code():
    factories.ServiceFactory(code="nexamaps")
    factories.ServiceFactory(code="nexacloud")
    with pytest.raises(CommandError, match=r"There is no service other\. Services: nexacloud, nexamaps\."):
        call_command("create_api_key", service="other")
    assert not ApiKey.objects.exists()
