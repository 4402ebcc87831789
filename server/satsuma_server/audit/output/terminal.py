"""A report in a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich import box
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from satsuma_server.audit.findings import Finding, Moment, Report, Severity

STYLES = {Severity.WRONG: "bold red", Severity.HINT: "yellow", Severity.NOTE: "cyan"}
BLOCKS = " ▁▂▃▄▅▆▇█"
LONGEST = 70


def print_report(report: Report, console: Console, *, details: bool = True) -> None:
    """Print a report: a table of all findings, then each by itself."""
    console.print(_head(report))
    if report.findings:
        console.print(_table(report.findings))
    if details:
        for finding in report.findings:
            console.print(_finding(finding))
    for month in report.tracked_users[-1:]:
        price = f", which cost {month.price:,.2f} {report.currency} a month" if month.price else ""
        text = (
            f"{month.month}: {month.counted:,} monthly tracked users. Identify calls spared {month.spared:,}, "
            f"and would spare {month.avoidable:,} more{price}."
        )
        console.print(Text(text))
    off = [one for one in report.skipped if one.by_settings]
    for one in off:
        console.print(Text(f"switched off: {one.rule}: {safe(one.reason)}", style="dim"))
    for one in report.skipped:
        if not one.by_settings:
            console.print(Text(f"not looked at: {one.title} ({one.reason})", style="dim"))
    console.print(Text(f"{len(report.passed)} rules are kept.", style="dim"))
    if report.mended:
        console.print(Text(f"mended since the baseline: {', '.join(report.mended)}", style="green"))


def safe(text: str, longest: int = LONGEST) -> str:
    """Return a text for a terminal. Nothing in it is obeyed: it is whatever somebody sent."""
    shown = "".join(char if char.isprintable() else "·" for char in text)
    return shown if len(shown) <= longest else f"{shown[: longest - 1]}…"


def percent(share: float) -> str:
    """Return a share for people."""
    return f"{100 * share:.1f} %" if share >= 0.0005 else "< 0.1 %"


def sparkline(trend: Sequence[Moment]) -> str:
    """Return the share over time as a line of blocks."""
    shares = [one.found / one.total if one.total else 0.0 for one in trend]
    most = max(shares, default=0.0)
    return "".join(BLOCKS[round(8 * share / most)] if most else " " for share in shares)


def _head(report: Report) -> RenderableType:
    given = report.input
    lines = [
        Text.assemble(("score ", "bold"), (f"{report.score}", "bold"), " of 100"),
        Text(
            f"{given.events:,} events of {given.people:,} userIds and {given.anonymous_ids:,} anonymousIds, "
            f"{(given.first or 'no time')[:10]} to {(given.last or 'no time')[:10]}"
        ),
    ]
    if given.unreadable:
        reasons = ", ".join(f"{count:,} × {reason}" for reason, count in given.reasons.items())
        lines.append(Text(f"not readable: {reasons}", style="yellow"))
    return Group(*lines)


def _table(findings: Sequence[Finding]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name, justify in (("", "left"), ("finding", "left"), ("share", "right"), ("found", "right"), ("trend", "left")):
        table.add_column(name, justify=justify)  # type: ignore[arg-type]
    for one in findings:
        mark = Text("known" if one.known else one.severity.value, style="dim" if one.known else STYLES[one.severity])
        table.add_row(
            mark,
            Text(one.title),
            percent(one.share),
            f"{one.found:,} of {one.total:,}",
            f"{sparkline(one.trend)} {one.direction}",
        )
    return table


def _finding(one: Finding) -> RenderableType:
    parts: list[RenderableType] = [
        Text.assemble(
            "\n", (one.severity.value, STYLES[one.severity]), " ", (one.title, "bold"), (f"  {one.rule}", "dim")
        ),
        Padding(Text(one.explanation), (0, 0, 0, 2)),
        Padding(Text(f"{one.found:,} of {one.total:,} {one.unit} ({percent(one.share)}), {one.days()}"), (0, 0, 0, 2)),
    ]
    places = ", ".join(f"{safe(part.value)} ({part.count:,})" for part in one.parts)
    if places:
        parts.append(Padding(Text(f"mostly: {places}"), (0, 0, 0, 2)))
    for example in one.examples:
        event = f"{example.type} {safe(example.name, 40)}"
        told = f"{safe(example.person)}  {example.at[:19]}  {event}  {safe(example.detail)}"
        parts.append(Padding(Text(told, style="dim"), (0, 0, 0, 4)))
    parts.append(Padding(Text(one.advice), (0, 0, 0, 2)))
    for language, code in one.code.items():
        parts.append(Padding(Text(f"{language}:", style="dim"), (0, 0, 0, 2)))
        parts.append(Padding(Text(code, style="green"), (0, 0, 0, 4)))
    return Group(*parts)
