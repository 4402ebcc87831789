"""What docs/audit.md says of rules and faults, made from the code.

``./dev run python tests/audit/document.py`` writes the table of rules and the schema of the JSON report. With
``--faults`` it also writes the table of rules against faults, which audits some hundred made-up shops: ten minutes.
"""

from __future__ import annotations

import argparse
import re
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import msgspec
from satsuma_server.audit import History, Report, Severity, run_audit
from satsuma_server.audit.rules import FAMILIES

sys.path.insert(0, str(Path(__file__).parents[1]))

from audit.test_worlds import FAULTS, NATURAL, SHARES
from audit.worlds import World

DOCS = Path(__file__).parents[2] / "docs"
DOCUMENT, SCHEMA = DOCS / "audit.md", DOCS / "audit-report.schema.json"
PARTS = {name: (f"<!-- {name}: written by tests/audit/document.py -->", f"<!-- end of {name} -->")
         for name in ("rules", "faults")}  # fmt: skip

CASES = [(rule, share) for rule in FAULTS for share in SHARES]


def main() -> None:
    """Write the tables and the schema."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--faults", action="store_true")
    parser.add_argument("--processes", type=int, default=2)
    given = parser.parse_args()
    write("rules", rules_table())
    SCHEMA.write_bytes(schema())
    if given.faults:
        with ProcessPoolExecutor(given.processes) as pool:
            found = dict(zip(CASES, pool.map(audited, *zip(*CASES, strict=True)), strict=True))
        write("faults", faults_table(found))


def written(name: str) -> str:
    """Return a generated part of the document as it stands there."""
    begin, end = PARTS[name]
    return DOCUMENT.read_text(encoding="utf-8").partition(begin)[2].partition(end)[0].lstrip("\n")


def write(name: str, text: str) -> None:
    """Replace a generated part of the document."""
    begin, end = PARTS[name]
    before, _, rest = DOCUMENT.read_text(encoding="utf-8").partition(begin)
    after = rest.partition(end)[2]
    DOCUMENT.write_text(f"{before}{begin}\n{text}{end}{after}", encoding="utf-8")


def rules_table() -> str:
    """Return all rules in Markdown, one table a family."""
    lines = []
    for family, rules in FAMILIES.items():
        lines += [f"### {family.replace('_', ' ').capitalize()}", "",
                  "| rule | severity | what is wrong | share of | told from | best practice |",
                  "|---|---|---|---|---|---|"]  # fmt: skip
        for one in rules:
            share = re.sub(r"\.?0+$", "", f"{100 * one.share:.2f}")
            told = f"{one.least}" if not one.share else f"{share} %, {one.least}"
            lines.append(
                f"| `{one.id}` | {one.severity.value} | {one.title} | {one.population} | {told} | {one.specification} |"
            )
        lines.append("")
    return "\n".join(lines) + "\n"


def schema() -> bytes:
    """Return the JSON schema of the report."""
    return msgspec.json.format(msgspec.json.encode(msgspec.json.schema(Report)), indent=2) + b"\n"


def audited(rule: str, share: float) -> list[str]:
    """Return which rules find something in a world with one fault."""
    with History() as history:
        history.add([*World(1, faults={rule: share}).lines()])
        findings = run_audit(history).findings
    return [
        one.rule
        for one in findings
        if one.rule == rule or (one.severity is not Severity.NOTE and one.rule not in NATURAL)
    ]


def faults_table(found: dict[tuple[str, float], list[str]]) -> str:
    """Return what was put in, at which shares its own rule found it, and which other rules did."""
    heads = " | ".join(f"{share:.0%}" for share in SHARES)
    lines = [f"| fault put in | {heads} | other rules that find it at 5 % | at 30 % as well |",
             "|---" * (len(SHARES) + 3) + "|"]  # fmt: skip
    for rule in FAULTS:
        marks = " | ".join("found" if rule in found[rule, share] else "–" for share in SHARES)
        at_5 = [one for one in found[rule, 0.05] if one != rule]
        at_30 = [one for one in found[rule, 0.3] if one not in (rule, *at_5)]
        lines.append(f"| `{rule}` | {marks} | {_listed(at_5)} | {_listed(at_30)} |")
    return "\n".join([*lines, ""])


def _listed(rules: list[str]) -> str:
    return ", ".join(f"`{one}`" for one in rules)


if __name__ == "__main__":
    main()
