"""Who asked for a run or a push: a person, or the rule that the audit keeps when nobody did."""

from typing import Any

from django.db.models import CharField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Cast

from ingest.models import AuditRecord
from ingest.screens.formatting import name_person
from reconciliation.models import Push, Run
from reconciliation.runs import BY_COMMAND, BY_SCHEDULE

RULES = {
    BY_SCHEDULE: "the schedule",
    BY_COMMAND: "a command",
    "load_demo": "the load of the demo",
}
UNKNOWN = "the console itself"


def with_rule(runs: QuerySet[Run]) -> QuerySet[Any]:
    """Each run with what its audit record says asked for it, as `rule`."""
    asked = AuditRecord.objects.filter(
        object_type=Run._meta.label_lower, object_id=Cast(OuterRef("public_id"), CharField())
    )
    return runs.annotate(rule=Subquery(asked.order_by("pk").values("actor_label")[:1]))


def name_requester(run: Any) -> str:
    """Who asked for a run that comes from `with_rule`."""
    if run.requested_by is not None:
        return name_person(run.requested_by)
    return RULES.get(run.rule, UNKNOWN)


def name_pusher(push: Push) -> str:
    """Who asked for a push, whose run comes from `with_rule`: its person, else what asked for the run."""
    if push.requested_by is not None:
        return name_person(push.requested_by)
    return name_requester(push.run) if push.run else UNKNOWN
