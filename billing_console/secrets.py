"""Keys that a demo makes for itself, each in a file that only its owner can read."""

import os
import secrets
from pathlib import Path


def read_or_create_key(path: Path) -> str:
    """The key kept at `path`, made on first use; two processes that race end with the same key."""
    try:
        return path.read_text()
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.touch(mode=0o600)
    draft.write_text(secrets.token_urlsafe(48))
    try:
        os.link(draft, path)  # atomic: fails when another process was first
    except FileExistsError:
        pass
    finally:
        draft.unlink()
    return path.read_text()
