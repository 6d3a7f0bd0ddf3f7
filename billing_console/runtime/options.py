"""What a person may choose about a run, read from the environment and `.env` before Django is."""

from dataclasses import dataclass
from pathlib import Path

from billing_console.environment import Environment
from billing_console.runtime.directory import PROJECT
from billing_console.runtime.errors import ConsoleError


@dataclass(frozen=True, slots=True)
class Options:
    """Where a console listens and keeps its files, and which services it brings along."""

    data_dir: Path
    host: str
    port: int
    database_url: str
    has_demo: bool

    @property
    def address(self) -> str:
        """What to type into a browser on this machine."""
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)
        return f"http://[{host}]:{self.port}/" if ":" in host else f"http://{host}:{self.port}/"


def read_options() -> Options:
    """The options, or a `ConsoleError` with one line for each that is wrong.

    The demo needs its own Odoo: with ODOO_URL set there is none, so that no demo row reaches a real one.
    """
    env = Environment(PROJECT / ".env")
    is_demo = env.choice("ENVIRONMENT", "demo", ("demo", "production")) == "demo"
    options = Options(
        data_dir=Path(env.text("DATA_DIR", str(PROJECT / ".data"))).expanduser().absolute(),
        host=env.text("HOST", "127.0.0.1"),
        port=env.integer("PORT", 8000, minimum=1, maximum=65535),
        database_url=env.url("DATABASE_URL", "", ("postgres", "postgresql")),
        has_demo=env.flag("DEMO", is_demo) and not env.text("ODOO_URL"),
    )
    env.integer("ODOO_STANDIN_PORT", 0, minimum=1, maximum=65535)
    if env.problems:
        lines = [f"{problem.message} {problem.hint}" for problem in env.problems]
        raise ConsoleError("options_wrong", "\n".join(lines))
    return options
