"""A service's rules of its dual run as they are kept, and who loosened them since it began."""

from dataclasses import dataclass
from datetime import date

from ingest.models import AuditRecord, Service
from reconciliation.comparison.rules import Rule, find_loosened

# What operators configure and a cutover is judged by: its name, and whether more of it lets more through.
CONFIGURED = {
    "required_clean_periods": ("clean periods required", False),
    # A period that closes later is judged later.
    "grace_hours": ("hours of grace", True),
}


@dataclass(frozen=True, slots=True)
class Loosening:
    """What one person loosened, when; nobody is the console itself."""

    actor_id: int | None
    actor: str
    day: date
    changes: tuple[str, ...]

    def __str__(self) -> str:
        return f"{', '.join(self.changes)} by {self.actor} on {self.day}"


def read_rules(service: Service) -> tuple[Rule, ...]:
    """The rules in force: of the service, and of its tolerance in each currency that has its own."""
    rules = _configured({name: getattr(service, name) for name in CONFIGURED})
    for limit in service.tolerances.order_by("currency"):
        rules += [
            Rule(f"absolute tolerance in {limit.currency}", f"{limit.absolute.normalize():f}", "0.01", True),
            Rule(f"relative tolerance in {limit.currency}", f"{limit.relative.normalize():f}", "0", True),
            Rule(
                f"cap in {limit.currency}",
                "" if limit.cap is None else f"{limit.cap.normalize():f}",
                "",
                True,
            ),
        ]
    return tuple(rules)


def read_loosenings(service: Service) -> list[Loosening]:
    """Each configuration since the service is in its phase that loosened a rule, oldest first."""
    records = AuditRecord.objects.filter(
        object_type=service._meta.label_lower,
        object_id=str(service.public_id),
        action="service.configure",
        created_at__gte=service.phase_since,
    ).order_by("created_at", "pk")
    found = []
    for record in records:
        changes = find_loosened(_configured(record.before), _configured(record.after))
        if changes:
            found.append(
                Loosening(record.actor_id, record.actor_label, record.created_at.date(), tuple(changes))
            )
    return found


def _configured(values: dict[str, int]) -> list[Rule]:
    return [
        Rule(name, str(values[field]), "", is_loose_upwards)
        for field, (name, is_loose_upwards) in CONFIGURED.items()
        if field in values
    ]
