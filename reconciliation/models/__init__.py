"""Both sides' amounts, their reconciliation, and everything that goes out of the console."""

from reconciliation.models.alarm import Alarm, AlarmKind
from reconciliation.models.amount import Amount, AmountLine, LineKind, Side, Source, SourceDocument, Timing
from reconciliation.models.attribution import AmountStrategy, LineState, Strategy, UnattributedLine
from reconciliation.models.billed_file import (
    BilledFile,
    BilledFilePart,
    FileDateFormat,
    FileDelimiter,
    FileEncoding,
    FileMapping,
    FileStatus,
)
from reconciliation.models.billing_source import SOURCES_OF_KIND, BillingKind, BillingSource
from reconciliation.models.connection import (
    ConnectionCheck,
    ConnectionTransport,
    OdooConnection,
    ServiceConnection,
)
from reconciliation.models.cutover import CutoverRequest, CutoverStatus
from reconciliation.models.lago_connection import LagoConnection
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
from reconciliation.models.odoo_payment import OdooToken, OdooTransaction
from reconciliation.models.push import Push, PushKind, PushStatus
from reconciliation.models.reconciliation import Basis, Outcome, Reconciliation, Status, Tolerance
from reconciliation.models.run import Run, RunKind, RunStatus
from reconciliation.models.stripe import (
    TO_DO,
    ClaimRules,
    EventState,
    RecordState,
    StripeCheck,
    StripeCursor,
    StripeEvent,
    StripeRecord,
)
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
    "SOURCES_OF_KIND",
    "TO_DO",
    "Alarm",
    "AlarmKind",
    "Amount",
    "AmountLine",
    "AmountStrategy",
    "Basis",
    "BilledFile",
    "BilledFilePart",
    "BillingKind",
    "BillingSource",
    "ClaimRules",
    "ConnectionCheck",
    "ConnectionTransport",
    "CutoverRequest",
    "CutoverStatus",
    "Delivery",
    "DeliveryStatus",
    "EventReport",
    "EventState",
    "FactReport",
    "FileDateFormat",
    "FileDelimiter",
    "FileEncoding",
    "FileMapping",
    "FileStatus",
    "LagoConnection",
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
    "OdooToken",
    "OdooTransaction",
    "Outcome",
    "Push",
    "PushKind",
    "PushStatus",
    "Reconciliation",
    "RecordState",
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
    "StripeCheck",
    "StripeCursor",
    "StripeEvent",
    "StripeRecord",
    "Timing",
    "ToldFact",
    "Tolerance",
    "UnattributedLine",
    "WebhookEndpoint",
]
