"""A key is replaced while it is in use, and a limit set: on the record, and in every process within moments."""

from datetime import timedelta

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from django.utils import timezone

from ingest.errors import DomainError
from ingest.keys import create_key, find_caller, limit_key, revoke_key, rotate_key
from ingest.models import ApiKey, AuditRecord
from tests import factories

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


def issue(**values):
    return create_key(**{"service": factories.ServiceFactory(), "name": "production", "actor": None} | values)


def rotate(issued, **values):
    return rotate_key(**{"key_id": issued.record.pk, "actor": None} | values)


def refuse(decide):
    with pytest.raises(DomainError) as refused:
        decide()
    return refused.value.code


def test_both_keys_work_for_the_overlap_and_then_the_new_one_alone():
    old = issue()
    new = rotate(old, overlap=timedelta(hours=2))
    assert find_caller(old.key).service_id == find_caller(new.key).service_id
    with time_machine.travel(timezone.now() + timedelta(hours=2), tick=False):
        assert find_caller(old.key) is None
        assert find_caller(new.key) is not None


def test_without_an_overlap_the_old_key_ends_at_once(monkeypatch):
    old = issue()
    rotate(old, overlap=timedelta())
    assert find_caller(old.key) is None


def test_the_new_key_opens_the_same_at_the_same_limit():
    new = rotate(issue(scopes=["ingest"], rate_limit=7)).record
    assert (new.name, new.scopes, new.rate_limit, new.expires_at) == ("production", ["ingest"], 7, None)


def test_the_new_key_lives_as_long_as_the_old_one_was_given():
    old = issue(expires_at=timezone.now() + 30 * DAY)
    with time_machine.travel(timezone.now() + 29 * DAY + timedelta(hours=12), tick=False):
        new = rotate(old).record
        assert timedelta() <= new.expires_at - (timezone.now() + 30 * DAY) + timedelta(seconds=5)
    old.record.refresh_from_db()
    assert old.record.expires_at < timezone.now() + 30 * DAY, "an overlap does not lengthen a life"


def test_rotating_is_on_the_record_of_both_keys(operator):
    old = issue()
    new = rotate(old, actor=operator)
    old.record.refresh_from_db()
    entry = AuditRecord.objects.get(action="api_key.rotate")
    assert (entry.actor, entry.object_id) == (operator, str(old.record.public_id))
    assert entry.before == {"expires_at": None}
    assert entry.after == {
        "prefix": old.record.prefix,
        "expires_at": old.record.expires_at.isoformat(),
        "replaced_by": new.record.prefix,
    }
    made = AuditRecord.objects.get(action="api_key.create", object_id=str(new.record.public_id))
    assert made.after["replaces"] == old.record.prefix
    assert new.key.split("_", 2)[2] not in repr(list(AuditRecord.objects.values()))


def test_a_key_is_rotated_once():
    old = issue()
    new = rotate(old)
    assert refuse(lambda: rotate(old)) == "key_is_rotated"
    assert rotate(new).record.replaces == new.record
    with pytest.raises(IntegrityError), transaction.atomic():
        factories.ApiKeyFactory(replaces=old.record)


def test_what_has_ended_is_not_rotated():
    revoked, expired = issue(), issue(expires_at=timezone.now() + DAY)
    revoke_key(key_id=revoked.record.pk, actor=None)
    assert refuse(lambda: rotate(revoked)) == "key_has_ended"
    with time_machine.travel(timezone.now() + DAY, tick=False):
        assert refuse(lambda: rotate(expired)) == "key_has_ended"
    assert refuse(lambda: rotate_key(key_id=0, actor=None)) == "unknown_key"


@pytest.mark.parametrize("overlap", [timedelta(seconds=-1), timedelta(days=91)])
def test_an_overlap_has_its_bounds(overlap):
    old = issue()
    assert refuse(lambda: rotate(old, overlap=overlap)) == "overlap_is_invalid"
    assert ApiKey.objects.count() == 1


@pytest.mark.parametrize("person", ["finance", "manager", "auditor", "outsider"], indirect=True)
def test_only_operators_rotate_and_limit(person):
    old = issue()
    assert refuse(lambda: rotate(old, actor=person)) == "permission_denied"
    limited = refuse(lambda: limit_key(key_id=old.record.pk, rate_limit=1, actor=person))
    assert limited == "permission_denied"
    assert ApiKey.objects.get().rate_limit is None


def test_a_limit_is_set_and_taken_away_on_the_record(operator):
    key = issue().record
    for rate_limit in (50, 50, None):
        limit_key(key_id=key.pk, rate_limit=rate_limit, actor=operator)
        key.refresh_from_db()
        assert key.rate_limit == rate_limit
    changes = AuditRecord.objects.filter(action="api_key.limit").order_by("pk")
    assert [(entry.before["rate_limit"], entry.after["rate_limit"]) for entry in changes] == [
        (None, 50),
        (50, None),
    ]
    assert refuse(lambda: limit_key(key_id=key.pk, rate_limit=0, actor=None)) == "rate_limit_is_invalid"
    assert refuse(lambda: limit_key(key_id=0, rate_limit=1, actor=None)) == "unknown_key"


def test_the_command_prints_the_new_key_alone_on_its_last_line(capsys):
    old = issue()
    call_command("rotate_api_key", "--key", f"{old.record.prefix}…", "--overlap", "0.5")
    printed = capsys.readouterr()
    new = ApiKey.objects.get(replaces=old.record)
    assert find_caller(printed.out.splitlines()[-1]).key_id == new.pk
    old.record.refresh_from_db()
    assert timedelta() < old.record.expires_at - timezone.now() <= timedelta(minutes=30)
    assert f"{old.record.expires_at:%Y-%m-%d %H:%M} UTC" in printed.err


@pytest.mark.parametrize("overlap", ["-1", "1e30", "nan", "100000"])
def test_the_command_says_what_is_wrong(overlap):
    old = issue()
    with pytest.raises(CommandError):
        call_command("rotate_api_key", "--key", old.record.prefix, "--overlap", overlap)
    with pytest.raises(CommandError, match=r"There is no key that starts with bc_unknown\."):
        call_command("rotate_api_key", "--key", "bc_unknown")
    assert ApiKey.objects.count() == 1
