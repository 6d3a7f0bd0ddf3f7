"""File locks that the kernel gives back when their holder dies, however it dies."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from billing_console.runtime.directory import ensure_private


class FileLock:
    """One open file under `flock`. Python opens it close-on-exec, so no child keeps a lock alive."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor: int | None = None

    def acquire(self, *, is_shared: bool = False, is_waiting: bool = True) -> bool:
        """True when the lock is held now; False when another holds it and we were not to wait."""
        self.release()  # two descriptors of one process would wait for each other
        kind = (fcntl.LOCK_SH if is_shared else fcntl.LOCK_EX) | (0 if is_waiting else fcntl.LOCK_NB)
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, kind)
        except BlockingIOError:
            os.close(descriptor)
            return False
        except BaseException:
            os.close(descriptor)
            raise
        self._descriptor = descriptor
        return True

    def release(self) -> None:
        """Gives the lock back; nothing happens when it is not held."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def write(self, text: str) -> None:
        """Replaces the file's text, so that whoever is refused can say by whom."""
        assert self._descriptor is not None
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, text.encode(), 0)

    @contextmanager
    def held(self, *, is_shared: bool = False) -> Iterator[None]:
        """Waits for the lock and holds it for a block."""
        self.acquire(is_shared=is_shared)
        try:
            yield
        finally:
            self.release()


def get_lock(data_dir: Path, name: str) -> FileLock:
    """The lock of that name in a data directory, not yet held."""
    return FileLock(ensure_private(data_dir / "locks") / name)
