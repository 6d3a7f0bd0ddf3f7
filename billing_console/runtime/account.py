"""The user that PostgreSQL runs as: ourselves, or, when we are root, one that may do nothing else."""

import os
import pwd
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from billing_console.runtime.errors import ConsoleError

CANDIDATES = ("nobody", "postgres", "daemon")


class Identity(TypedDict, total=False):
    """What `Popen` takes to run a child as somebody else."""

    user: int
    group: int
    extra_groups: list[int]


@dataclass(frozen=True, slots=True)
class Account:
    """A user and its group; `is_other` when it is not the one we run as."""

    uid: int
    gid: int
    is_other: bool

    @property
    def identity(self) -> Identity:
        """Keyword arguments for `Popen`: none for ourselves, else no group beyond its own."""
        return Identity(user=self.uid, group=self.gid, extra_groups=[]) if self.is_other else Identity()

    def take(self, path: Path) -> None:
        """Gives a file or folder of ours to this user."""
        if self.is_other:
            os.chown(path, self.uid, self.gid)

    def can_enter(self, directory: Path) -> bool:
        """Whether this user may pass through a folder, as the system says, which knows of ACLs too."""
        return self._succeeds(["/bin/sh", "-c", 'cd -- "$1"', "sh", str(directory)])

    def can_run(self, program: Path) -> bool:
        """Whether this user may run a PostgreSQL program with the libraries it needs."""
        return self._succeeds([str(program), "--version"])

    def _succeeds(self, command: list[str]) -> bool:
        try:
            finished = subprocess.run(
                command, cwd="/", capture_output=True, stdin=subprocess.DEVNULL, check=False, **self.identity
            )
        except OSError:
            return False
        return finished.returncode == 0


def find_account(cluster_data: Path) -> Account:
    """Who runs the cluster: its owner when it exists, else ourselves, or as root an unprivileged user.

    Refuses a cluster that belongs to another user when we are not root, and a machine without such a user.
    """
    own = Account(uid=os.geteuid(), gid=os.getegid(), is_other=False)
    if own.uid != 0:
        return own
    if cluster_data.exists():
        status = cluster_data.stat()
        return Account(uid=status.st_uid, gid=status.st_gid, is_other=True)
    for name in CANDIDATES:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(uid=entry.pw_uid, gid=entry.pw_gid, is_other=True)
    message = f"PostgreSQL does not run as root, and none of the users {', '.join(CANDIDATES)} exists here."
    raise ConsoleError("no_account", f"{message} Run as an ordinary user, or set DATABASE_URL.")
