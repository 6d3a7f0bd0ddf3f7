"""Addresses of the Lago-shaped API, below /api/v1/, that tell what Odoo says too."""

from django.urls import path

from reconciliation.api.fees import FeesView, FeeView
from reconciliation.api.invoices import InvoicesView, InvoiceView

urlpatterns = [
    path("fees", FeesView.as_view(), name="fees"),
    path("fees/<str:lago_id>", FeeView.as_view(), name="fee"),
    path("invoices", InvoicesView.as_view(), name="invoices"),
    path("invoices/<str:lago_id>", InvoiceView.as_view(), name="invoice"),
]
