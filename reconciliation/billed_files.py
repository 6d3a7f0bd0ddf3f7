"""Files of what was billed, from upload to import: kept whole, previewed, decided on, then written once."""

import hashlib
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from ingest import audit
from ingest.errors import DomainError, require_permission
from ingest.models import Service
from reconciliation import runs
from reconciliation.connectors.errors import ConnectorError
from reconciliation.file_mappings import read_mapping
from reconciliation.imports import Echo, Imported, ImportRefused, import_amounts
from reconciliation.models import BilledFile, BilledFilePart, FileMapping, FileStatus, Run, RunKind
from reconciliation.runs import Progress

PERMISSION = "reconciliation.import_billedfile"
# Of each row that holds a piece of a file, and of a file as a whole.
PART = 1024 * 1024
LARGEST = 1024 * PART
MOST_ERRORS = 200
# Which state a decision leads to, and from which.
TRANSITIONS = {
    FileStatus.PREVIEWED: {
        FileStatus.RECEIVED,
        FileStatus.PREVIEWED,
        FileStatus.REFUSED,
        FileStatus.CONFIRMED,
    },
    FileStatus.REFUSED: {FileStatus.RECEIVED, FileStatus.PREVIEWED, FileStatus.REFUSED, FileStatus.CONFIRMED},
    FileStatus.CONFIRMED: {FileStatus.PREVIEWED},
    FileStatus.IMPORTED: {FileStatus.RECEIVED, FileStatus.CONFIRMED},
    FileStatus.DISCARDED: {FileStatus.RECEIVED, FileStatus.PREVIEWED, FileStatus.REFUSED},
}


class PreviewOutdated(DomainError):
    """What a confirmed file would write is no longer what its preview showed: it is shown again."""

    def __init__(self) -> None:
        message = "Something else was imported meanwhile: look at the preview again. Nothing was written."
        super().__init__("preview_outdated", message)


@transaction.atomic
def upload_file(
    *,
    service: Service,
    name: str,
    pieces: Iterable[bytes],
    actor: User,
    mapping: FileMapping | None = None,
    ready_mapping: str = "",
    period_label: str = "",
    is_replacing: bool = False,
) -> BilledFile:
    """Keeps a file whole and asks for its preview; nothing of what it says counts before somebody confirms it.

    Refuses who may not import (`permission_denied`), an empty file (`empty_file`), one that is larger than a
    gigabyte (`too_large`), and another service's mapping (`wrong_service`).
    """
    require_permission(actor, PERMISSION)
    if mapping is not None and mapping.service_id != service.pk:
        raise DomainError("wrong_service", f"The mapping {mapping} is of another service.")
    file = keep_file(
        service=service,
        name=name,
        pieces=pieces,
        actor=actor,
        mapping=mapping,
        ready_mapping=ready_mapping,
        period_label=period_label,
        is_replacing=is_replacing,
    )
    _request(file, RunKind.PREVIEW, actor)
    return file


def keep_file(
    *, service: Service, name: str, pieces: Iterable[bytes], actor: User | None, **values: Any
) -> BilledFile:
    """The file's bytes as they came, with their digest, audited; call it in a transaction."""
    file = BilledFile.objects.create(
        service=service, name=name[:255], size=0, digest="", uploaded_by=actor, **values
    )
    digest = hashlib.sha256()
    for number, piece in enumerate(_cut(pieces), start=1):
        digest.update(piece)
        file.size += len(piece)
        if file.size > LARGEST:
            raise DomainError("too_large", f"A file may have {LARGEST:,} bytes.")
        BilledFilePart.objects.create(file=file, number=number, content=piece)
    if not file.size:
        raise DomainError("empty_file", "The file is empty.")
    file.digest = digest.hexdigest()
    file.save(update_fields=["size", "digest"])
    audit.record(
        actor=actor,
        action="billed_file.keep",
        target=file,
        service=service,
        after={"name": file.name, "size": file.size, "mapping": str(file.mapping or file.ready_mapping)},
        evidence_digest=file.digest,
        rule=runs.BY_COMMAND,
    )
    return file


@transaction.atomic
def confirm_file(*, file_id: int, actor: User) -> Run:
    """Lets a previewed file count: a run writes exactly what its preview shows.

    Refuses who may not (`permission_denied`), and a file that does not wait for a decision (`wrong_status`).
    """
    require_permission(actor, PERMISSION)
    file = _lock(file_id)
    _move(file, FileStatus.CONFIRMED, actor=actor)
    return _request(file, RunKind.IMPORT, actor)


@transaction.atomic
def discard_file(*, file_id: int, actor: User, reason: str) -> None:
    """Lets a file not count; it is kept. Refuses as `confirm_file`, and without a reason (`reason_required`)."""
    require_permission(actor, PERMISSION)
    if not reason.strip():
        raise DomainError("reason_required", "Say why the file is not imported.")
    _move(_lock(file_id), FileStatus.DISCARDED, actor=actor, reason=reason.strip())


def preview_file(run: Run, progress: Progress) -> dict[str, Any]:
    """Reads a file and keeps what it would bring, or why it is refused; the work of a run."""
    file = _file_of(run)
    try:
        with _open(file) as path:
            found = import_amounts(
                service=file.service,
                path=path,
                period_label=file.period_label,
                is_replacing=file.is_replacing,
                mapping=read_mapping(file),
                is_dry=True,
                echo=make_echo(progress, _count_rows(path)),
            )
    except (ImportRefused, ConnectorError) as error:
        _keep_refusal(file, error)
        raise
    _keep_preview(file, found)
    return _count(found)


def import_file(run: Run, progress: Progress) -> dict[str, Any]:
    """Writes a confirmed file, if that is still what its preview showed; the work of a run.

    One that a lost worker wrote is not written again. Raises PreviewOutdated, and keeps the new preview.
    """
    file = _file_of(run)
    if file.status == FileStatus.IMPORTED:
        return dict(file.preview.get("counts", {}))
    outdated: list[Imported] = []

    def agree(found: Imported) -> None:
        row = _lock(file.pk)
        if found.digest != file.preview_digest:
            outdated.append(found)
            raise PreviewOutdated
        _move(row, FileStatus.IMPORTED, actor=row.decided_by, run=run)

    try:
        with _open(file) as path:
            found = import_amounts(
                service=file.service,
                path=path,
                run=run,
                period_label=file.period_label,
                is_replacing=file.is_replacing,
                mapping=read_mapping(file),
                agree=agree,
                echo=make_echo(progress, _count_rows(path)),
            )
    except PreviewOutdated:
        _keep_preview(file, outdated[0])
        raise
    except (ImportRefused, ConnectorError) as error:
        _keep_refusal(file, error)
        raise
    return _count(found)


def keep_result(file: BilledFile, found: Imported, run: Run) -> None:
    """Notes that a command wrote a kept file; call it in the transaction of the writing."""
    file.format = found.format
    file.preview = _describe(found)
    file.preview_digest = found.digest
    file.save(update_fields=["format", "preview", "preview_digest"])
    _move(file, FileStatus.IMPORTED, actor=None, run=run)


def keep_refusal(file: BilledFile, error: ImportRefused | ConnectorError) -> None:
    """Notes why a command refused a kept file."""
    _keep_refusal(file, error)


def make_echo(progress: Progress, total: int) -> Echo:
    """Tells a run's page how far the file is, beside the transaction that reads it."""
    return lambda stage, rows: progress.report_aside(stage, rows, max(total, rows))


@contextmanager
def _open(file: BilledFile) -> Iterator[Path]:
    """The kept bytes as a file of this machine, for as long as it is read."""
    with tempfile.TemporaryDirectory(prefix="billed-file-") as folder:
        path = Path(folder) / "file"
        with path.open("wb") as stream:
            for content in file.parts.values_list("content", flat=True).iterator(chunk_size=8):
                stream.write(content)
        yield path


def _cut(pieces: Iterable[bytes]) -> Iterator[bytes]:
    for piece in pieces:
        yield from (piece[place : place + PART] for place in range(0, len(piece), PART))


def _count_rows(path: Path) -> int:
    """About how many rows there are to read: of a spreadsheet nobody knows before it is read."""
    with path.open("rb") as stream:
        if stream.read(4) == b"PK\x03\x04":
            return 0
        return sum(piece.count(b"\n") for piece in iter(lambda: stream.read(PART), b""))


def _request(file: BilledFile, kind: RunKind, actor: User) -> Run:
    run = runs.request_run(
        kind=kind,
        service=file.service,
        actor=actor,
        period_label=file.period_label,
        parameters={"billed_file": file.pk, "file": file.name},
    )
    BilledFile.objects.filter(pk=file.pk).update(run=run)
    return run


def _file_of(run: Run) -> BilledFile:
    files = BilledFile.objects.select_related("service", "mapping", "decided_by")
    return files.get(pk=run.parameters["billed_file"])


def _lock(file_id: int) -> BilledFile:
    return (
        BilledFile.objects.select_for_update(of=("self",))
        .select_related("service", "decided_by")
        .get(pk=file_id)
    )


def _move(
    file: BilledFile, status: FileStatus, *, actor: User | None, reason: str = "", run: Run | None = None
) -> None:
    """The one way a file's status changes; refuses what the table does not have (`wrong_status`)."""
    if FileStatus(file.status) not in TRANSITIONS[status]:
        message = f"The file is {file.get_status_display().lower()}: it cannot become {status.label.lower()}."
        raise DomainError("wrong_status", message)
    before, file.status = file.status, status
    fields = ["status"]
    if status in {FileStatus.CONFIRMED, FileStatus.DISCARDED}:
        file.decided_by, file.decided_at = actor, timezone.now()
        fields += ["decided_by", "decided_at"]
    if run is not None:
        file.run = run
        fields += ["run"]
    file.save(update_fields=fields)
    audit.record(
        actor=actor,
        action=f"billed_file.{status}",
        target=file,
        service=file.service,
        before={"status": before},
        after={"status": status},
        reason=reason,
        evidence_digest=file.digest,
        rule="reading the file",
    )


@transaction.atomic
def _keep_preview(file: BilledFile, found: Imported) -> None:
    row = _lock(file.pk)
    row.format, row.preview, row.preview_digest = found.format, _describe(found), found.digest
    row.save(update_fields=["format", "preview", "preview_digest"])
    _move(row, FileStatus.PREVIEWED, actor=None)


@transaction.atomic
def _keep_refusal(file: BilledFile, error: ImportRefused | ConnectorError) -> None:
    row = _lock(file.pk)
    errors = error.errors[:MOST_ERRORS] if isinstance(error, ImportRefused) else []
    count = error.count if isinstance(error, ImportRefused) else 0
    row.preview = {
        "refused": error.message,
        "refused_rows": count,
        "errors": [asdict(each) for each in errors],
    }
    row.preview_digest = ""
    row.save(update_fields=["preview", "preview_digest"])
    _move(row, FileStatus.REFUSED, actor=None)


def _describe(found: Imported) -> dict[str, Any]:
    return {"counts": _count(found), "listed": [change._asdict() for change in found.listed]}


def _count(found: Imported) -> dict[str, Any]:
    return {
        "lines": found.lines,
        "bills": found.bills,
        "new": found.new,
        "changed": found.fresh - found.new,
        "unchanged": found.bills - found.fresh,
        "replaced": found.replaced,
        "new_customers": found.new_customers,
        "left_out": found.left_out,
    }
