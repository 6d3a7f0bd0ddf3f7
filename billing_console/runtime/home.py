"""Finds or makes the folders that PostgreSQL's user can reach: the cluster's home and its socket."""

import os
import shutil
import stat
import tempfile
from pathlib import Path

from billing_console.runtime.account import Account
from billing_console.runtime.cluster import PORT, Cluster, locate
from billing_console.runtime.errors import ConsoleError

SOCKET_PATH_LIMIT = 107  # bytes in the kernel's sockaddr_un, without the final zero


def settle_home(data_dir: Path, account: Account) -> Cluster:
    """The cluster's home, made on first use and cleared of what an interrupted start left half done."""
    place = data_dir / "postgres"
    if place.is_symlink() and not place.exists():
        message = f"The database of {data_dir} was kept in {place.readlink()}, which is gone."
        raise ConsoleError("home_gone", f"{message} Restore it, or remove {place} to begin anew.")
    if not place.exists():
        _make_home(place, account)
    cluster = locate(data_dir)
    for partial in cluster.home.glob("partial-*"):
        shutil.rmtree(partial)
    return cluster


def settle_socket(cluster: Cluster, account: Account) -> Path:
    """The folder for the socket, which only PostgreSQL's user (and root) may enter."""
    place = cluster.home / "socket"
    if _is_private(cluster.socket, account) and is_addressable(cluster.socket):
        return cluster.socket
    if place.is_symlink():
        place.unlink()
    elif place.exists():
        shutil.rmtree(place)
    if is_addressable(place):
        place.mkdir(mode=0o700)
        account.take(place)
    else:
        place.symlink_to(_make_outside(account, mode=0o700, parents=_temporary_parents(), is_given=True))
    return cluster.socket


def is_addressable(directory: Path) -> bool:
    """Whether a socket in this folder has a path that the kernel takes, and libpq as one host, not several."""
    path = directory / f".s.PGSQL.{PORT}"
    return len(os.fsencode(path)) <= SOCKET_PATH_LIMIT and "," not in str(path)


def _make_home(place: Path, account: Account) -> None:
    if not account.is_other:
        place.mkdir(mode=0o700)
    elif account.can_enter(place.parent):
        place.mkdir()
        place.chmod(0o711)
    else:
        parents = [Path("/var/lib"), Path("/var/tmp"), *_temporary_parents()]
        place.symlink_to(_make_outside(account, mode=0o711, parents=parents, is_given=False))


def _make_outside(account: Account, *, mode: int, parents: list[Path], is_given: bool) -> Path:
    """A new folder with an unpredictable name in the first parent that serves; `is_given` to the account."""
    for parent in parents:
        try:
            place = Path(tempfile.mkdtemp(prefix="billing-console-", dir=parent))
        except OSError:
            continue
        place.chmod(mode)
        if is_given:
            account.take(place)
        if account.can_enter(place) and is_addressable(place):
            return place.resolve()
        place.rmdir()
    tried = ", ".join(map(str, parents))
    raise ConsoleError("no_place", f"PostgreSQL finds no folder that its user can enter; tried {tried}.")


def _temporary_parents() -> list[Path]:
    return [Path(tempfile.gettempdir()), Path("/tmp"), Path("/var/tmp")]


def _is_private(directory: Path, account: Account) -> bool:
    """Guards against a folder in a shared place that was swept away and made again by somebody else."""
    try:
        status = directory.lstat()
    except OSError:
        return False
    return (
        stat.S_ISDIR(status.st_mode)
        and status.st_uid == account.uid
        and stat.S_IMODE(status.st_mode) == 0o700
    )
