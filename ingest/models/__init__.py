"""The mirror of what services sell, to whom, and what was used."""

from ingest.models.api_key import ApiKey
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
from ingest.models.resend import Resend
from ingest.models.service import LateUsagePolicy, Phase, Service
from ingest.models.subscription import Biller, BillerTerm, BillingTime, Subscription
from ingest.models.usage import Fee, FeeKind, Usage

__all__ = [
    "BEGINNING",
    "Aggregation",
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
    "LateUsagePolicy",
    "Metric",
    "Phase",
    "Plan",
    "PlanVersion",
    "Resend",
    "RoundingFunction",
    "Service",
    "Subscription",
    "Usage",
    "UsageEvent",
]
