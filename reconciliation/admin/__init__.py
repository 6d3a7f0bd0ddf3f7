"""The screens of reconciliation and cutover: a module per screen."""

from reconciliation.admin import (
    alarms,
    amounts,
    billing_sources,
    claim_rules,
    connections,
    cutover_requests,
    mirror,
    overview,
    pushes,
    reconciliations,
    runs,
    services,
    stripe,
    tolerances,
    unattributed,
    webhooks,
)

__all__ = [
    "alarms",
    "amounts",
    "billing_sources",
    "claim_rules",
    "connections",
    "cutover_requests",
    "mirror",
    "overview",
    "pushes",
    "reconciliations",
    "runs",
    "services",
    "stripe",
    "tolerances",
    "unattributed",
    "webhooks",
]
