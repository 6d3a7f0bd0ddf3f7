"""Reconciliations: the queue, its bulk actions and export, and the page of one."""

from django.contrib import admin

from reconciliation.admin.bulk import BulkActions
from reconciliation.admin.corrections import CorrectionScreen
from reconciliation.admin.export import QueueExport
from reconciliation.admin.page import PageScreen
from reconciliation.admin.queue import QueueScreen
from reconciliation.models import Reconciliation


@admin.register(Reconciliation)
class ReconciliationAdmin(CorrectionScreen, PageScreen, BulkActions, QueueExport, QueueScreen):
    """The working surface of finance."""
