"""Makes a cluster once, whole or not at all, and refuses one that another PostgreSQL made."""

import os
import subprocess
import tempfile
from pathlib import Path

from billing_console.runtime.account import Account
from billing_console.runtime.binaries import MAJOR_VERSION
from billing_console.runtime.cluster import USER, Cluster
from billing_console.runtime.environment import PLAIN
from billing_console.runtime.errors import ConsoleError

# The built-in locale needs nothing of the machine, so an order never changes under an index.
OPTIONS = (
    f"--username={USER}", "--auth-local=trust", "--auth-host=reject", "--no-instructions",
    "--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8",
)  # fmt: skip


def ensure_cluster(cluster: Cluster, programs: Path, account: Account, *, is_durable: bool) -> None:
    """Makes the cluster when there is none; an existing one must be of our version and may be ours to run."""
    if not cluster.data.exists():
        _make_cluster(cluster, programs, account, is_durable=is_durable)
        return
    if cluster.data.stat().st_uid != account.uid or account.uid == 0:
        message = f"The database in {cluster.data} belongs to another user; run as that user."
        raise ConsoleError("cluster_owner", message)
    version = (cluster.data / "PG_VERSION").read_text().strip()
    if version != MAJOR_VERSION:
        message = f"PostgreSQL {version} made the database in {cluster.data}; this is {MAJOR_VERSION}."
        hint = "Move the data with pg_dump, or set DATA_DIR to a new folder."
        raise ConsoleError("cluster_version", f"{message} {hint}")


def _make_cluster(cluster: Cluster, programs: Path, account: Account, *, is_durable: bool) -> None:
    partial = Path(tempfile.mkdtemp(prefix="partial-", dir=cluster.home))
    account.take(partial)
    speed = [] if is_durable else ["--no-sync"]
    command = [str(programs / "initdb"), f"--pgdata={partial}", *OPTIONS, *speed]
    finished = subprocess.run(
        command, cwd="/", env=PLAIN, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, check=False, start_new_session=True, **account.identity,
    )  # fmt: skip
    if finished.returncode != 0:
        last_words = " ".join(finished.stdout.split("\n")[-4:]).strip()
        raise ConsoleError("initdb_failed", f"PostgreSQL could not make its cluster: {last_words}")
    os.rename(partial, cluster.data)
