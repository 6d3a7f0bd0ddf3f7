"""The screens of reconciliation and cutover: a module per screen."""

from reconciliation.admin import (
    alarms,
    amounts,
    connections,
    cutover_requests,
    mirror,
    overview,
    pushes,
    reconciliations,
    runs,
    services,
    tolerances,
    unattributed,
    webhooks,
)

__all__ = [
    "alarms",
    "amounts",
    "connections",
    "cutover_requests",
    "mirror",
    "overview",
    "pushes",
    "reconciliations",
    "runs",
    "services",
    "tolerances",
    "unattributed",
    "webhooks",
]
