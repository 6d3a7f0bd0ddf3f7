"""Whether the collected static files are those of this checkout, so that a start need not collect again."""

import hashlib
from pathlib import Path

from billing_console.runtime.directory import PROJECT


def is_collected(data_dir: Path) -> bool:
    """Whether nothing has changed since `note_collected`."""
    try:
        return _get_note(data_dir).read_text() == _compute_digest()
    except OSError:
        return False


def note_collected(data_dir: Path) -> None:
    """Notes what has just been collected."""
    _get_note(data_dir).write_text(_compute_digest())


def _compute_digest() -> str:
    """Over our own static files, and the pinned packages that bring the others."""
    digest = hashlib.sha256()
    own = sorted(path for path in (PROJECT / "static").rglob("*") if path.is_file())
    for path in [PROJECT / "requirements.txt", *own]:
        digest.update(f"{path.relative_to(PROJECT)}\0".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _get_note(data_dir: Path) -> Path:
    # In the folder itself: whoever removes the files removes the note with them.
    return data_dir / "static" / ".collected"
