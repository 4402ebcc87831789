"""The command ``satsuma``: one module a verb."""

from __future__ import annotations

import typer

from .audit import audit
from .audit_log import audit_log
from .backup import backup, restore
from .destinations import app as destinations
from .doctor import doctor
from .export import export
from .person import person
from .plan import app as plan
from .replay import replay
from .serve import demo, serve_collector
from .snippet import print_snippet
from .status import status
from .tail import tail
from .token import app as token
from .warehouse import sql, warehouse

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Satsuma: a collector for web analytics events.")
app.command("serve")(serve_collector)
app.command()(demo)
app.command()(tail)
app.command()(replay)
app.command()(export)
app.command()(audit)
app.command("audit-log")(audit_log)
app.command("snippet")(print_snippet)
app.command()(doctor)
app.command()(status)
app.command()(backup)
app.command()(restore)
app.add_typer(person, name="person")
app.command()(sql)
app.add_typer(warehouse, name="warehouse")
app.add_typer(destinations, name="destinations")
app.add_typer(plan, name="plan")
app.add_typer(token, name="token")


def main() -> None:
    """Run the command."""
    app()
