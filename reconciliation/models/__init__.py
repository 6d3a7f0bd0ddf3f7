"""Both sides' amounts, their reconciliation, and everything that goes out of the console."""

from reconciliation.models.alarm import Alarm, AlarmKind
from reconciliation.models.amount import Amount, AmountLine, LineKind, Side, Source, SourceDocument
from reconciliation.models.connection import (
    ConnectionCheck,
    ConnectionTransport,
    OdooConnection,
    ServiceConnection,
)
from reconciliation.models.cutover import CutoverRequest, CutoverStatus
from reconciliation.models.odoo_mirror import (
    OdooFiscalPosition,
    OdooInvoice,
    OdooOrder,
    OdooPartner,
    OdooPricelist,
    OdooProduct,
    OdooTax,
)
from reconciliation.models.push import Push, PushStatus
from reconciliation.models.reconciliation import Basis, Outcome, Reconciliation, Status, Tolerance
from reconciliation.models.run import Run, RunKind, RunStatus
from reconciliation.models.told_fact import FactReport, ToldFact
from reconciliation.models.webhook import (
    Delivery,
    DeliveryStatus,
    EventReport,
    SignatureAlgorithm,
    SigningKey,
    WebhookEndpoint,
)

__all__ = [
    "Alarm",
    "AlarmKind",
    "Amount",
    "AmountLine",
    "Basis",
    "ConnectionCheck",
    "ConnectionTransport",
    "CutoverRequest",
    "CutoverStatus",
    "Delivery",
    "DeliveryStatus",
    "EventReport",
    "FactReport",
    "LineKind",
    "OdooConnection",
    "OdooFiscalPosition",
    "OdooInvoice",
    "OdooOrder",
    "OdooPartner",
    "OdooPricelist",
    "OdooProduct",
    "OdooTax",
    "Outcome",
    "Push",
    "PushStatus",
    "Reconciliation",
    "Run",
    "RunKind",
    "RunStatus",
    "ServiceConnection",
    "Side",
    "SignatureAlgorithm",
    "SigningKey",
    "Source",
    "SourceDocument",
    "Status",
    "ToldFact",
    "Tolerance",
    "WebhookEndpoint",
]
