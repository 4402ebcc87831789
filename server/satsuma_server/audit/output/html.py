"""A report as one HTML file that needs nothing else: no script, no font, no network."""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from satsuma_server.audit.findings import Report

from .terminal import percent
from .trend import Curve


def as_html(report: Report) -> str:
    """Return the report's page. What events hold is hostile, and stands in it as text only."""
    templates = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters["percent"] = percent
    templates.filters["number"] = lambda value: f"{value:,}"
    templates.filters["curve"] = Curve.of
    return templates.get_template("report.html.jinja").render(report=report, counts=report.counts())
