"""The mirror of what services sell, to whom, and what was used."""

from ingest.models.api_key import ApiKey, RateWindow, Scope
from ingest.models.audit_record import AuditRecord
from ingest.models.catalogue import (
    BEGINNING,
    Aggregation,
    Charge,
    ChargeModel,
    ChargeVersion,
    Interval,
    Metric,
    Plan,
    PlanVersion,
    RoundingFunction,
)
from ingest.models.customer import Customer
from ingest.models.event import UsageEvent
from ingest.models.lago_id import LagoId, LagoKind
from ingest.models.late_usage import LateOutcome, LateSettlement
from ingest.models.resend import Resend
from ingest.models.service import LateUsagePolicy, Phase, Service
from ingest.models.subscription import (
    Biller,
    BillerTerm,
    BillingTime,
    Subscription,
    SubscriptionStatus,
)
from ingest.models.usage import OF_A_CHARGE, Fee, FeeKind, RatedPeriod, Usage
from ingest.models.usage_alert import OF_A_METRIC, AlertType, TriggeredAlert, UsageAlert

__all__ = [
    "BEGINNING",
    "OF_A_CHARGE",
    "OF_A_METRIC",
    "Aggregation",
    "AlertType",
    "ApiKey",
    "AuditRecord",
    "Biller",
    "BillerTerm",
    "BillingTime",
    "Charge",
    "ChargeModel",
    "ChargeVersion",
    "Customer",
    "Fee",
    "FeeKind",
    "Interval",
    "LagoId",
    "LagoKind",
    "LateOutcome",
    "LateSettlement",
    "LateUsagePolicy",
    "Metric",
    "Phase",
    "Plan",
    "PlanVersion",
    "RateWindow",
    "RatedPeriod",
    "Resend",
    "RoundingFunction",
    "Scope",
    "Service",
    "Subscription",
    "SubscriptionStatus",
    "TriggeredAlert",
    "Usage",
    "UsageAlert",
    "UsageEvent",
]
