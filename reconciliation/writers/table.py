"""The writer of each kind of push."""

from collections.abc import Mapping

from reconciliation.models import PushKind
from reconciliation.writers.corrections import CorrectionWriter
from reconciliation.writers.order_lines import OrderLineWriter
from reconciliation.writers.quotations import QuotationWriter
from reconciliation.writers.writer import Writer

WRITERS: Mapping[PushKind, Writer] = {
    PushKind.QUOTATION: QuotationWriter(),
    PushKind.ORDER_LINES: OrderLineWriter(),
    PushKind.CORRECTION: CorrectionWriter(),
}
