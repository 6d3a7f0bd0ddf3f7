"""The mirror of what services sell, to whom, and what was used."""

from ingest.models.api_key import ApiKey
from ingest.models.audit_record import AuditRecord
from ingest.models.catalogue import Aggregation, Charge, ChargeModel, Interval, Metric, Plan
from ingest.models.customer import Customer
from ingest.models.event import UsageEvent
from ingest.models.service import Phase, Service
from ingest.models.subscription import Biller, BillerTerm, BillingTime, Subscription
from ingest.models.usage import Fee, FeeKind, Usage

__all__ = [
    "Aggregation",
    "ApiKey",
    "AuditRecord",
    "Biller",
    "BillerTerm",
    "BillingTime",
    "Charge",
    "ChargeModel",
    "Customer",
    "Fee",
    "FeeKind",
    "Interval",
    "Metric",
    "Phase",
    "Plan",
    "Service",
    "Subscription",
    "Usage",
    "UsageEvent",
]
