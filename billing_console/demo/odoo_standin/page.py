"""The page a person sees who opens the stand-in's address in a browser."""

from __future__ import annotations

from html import escape
from typing import Any


def render_page(state: dict[str, Any]) -> str:
    """Return a page that says what this server is, and what it holds."""
    rows = "".join(
        f"<tr><td>{escape(model)}</td><td>{count}</td></tr>"
        for model, count in sorted(state["models"].items())
    )
    return f"""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Odoo stand-in</title>
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; margin: 3rem auto; max-width: 40rem; padding: 0 1rem; }}
td {{ padding: .1rem 2rem .1rem 0; font-variant-numeric: tabular-nums; }}
</style>
<h1>This is not Odoo</h1>
<p>It is a stand-in that answers the calls of the Billing Console as an Odoo 19 server does, for the demo
and the tests. Nothing here is an invoice and nobody can be charged.</p>
<p>Database <b>{escape(state["database"])}</b>, records by model:</p>
<table>{rows}</table>
</html>
"""
