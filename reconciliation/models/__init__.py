"""Both sides' amounts, their reconciliation, and everything that goes out of the console."""

from reconciliation.models.alarm import Alarm, AlarmKind
from reconciliation.models.amount import Amount, AmountLine, LineKind, Side, Source, SourceDocument
from reconciliation.models.attribution import AmountStrategy, LineState, Strategy, UnattributedLine
from reconciliation.models.connection import (
    ConnectionCheck,
    ConnectionTransport,
    OdooConnection,
    ServiceConnection,
)
from reconciliation.models.cutover import CutoverRequest, CutoverStatus
from reconciliation.models.odoo_mirror import (
    MirrorCursor,
    OdooFiscalPosition,
    OdooInvoice,
    OdooInvoiceLine,
    OdooOrder,
    OdooOrderLine,
    OdooPartner,
    OdooPlan,
    OdooPricelist,
    OdooProduct,
    OdooTax,
    OdooTaxPast,
)
from reconciliation.models.push import Push, PushKind, PushStatus
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
    "AmountStrategy",
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
    "LineState",
    "MirrorCursor",
    "OdooConnection",
    "OdooFiscalPosition",
    "OdooInvoice",
    "OdooInvoiceLine",
    "OdooOrder",
    "OdooOrderLine",
    "OdooPartner",
    "OdooPlan",
    "OdooPricelist",
    "OdooProduct",
    "OdooTax",
    "OdooTaxPast",
    "Outcome",
    "Push",
    "PushKind",
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
    "Strategy",
    "ToldFact",
    "Tolerance",
    "UnattributedLine",
    "WebhookEndpoint",
]
