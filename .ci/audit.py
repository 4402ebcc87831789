"""Asks whether any locked dependency has a known vulnerability, and says loudly where nobody could tell.

`./dev check` runs it. A mirror of a registry often has packages and no advisories: pip-audit then finds nothing, and
says that nothing is wrong. So an answer counts only if every package was known. Answers are kept for a day, and
failures for an hour, in `.cache/audit.json`; what is said is said each time. With SATSUMA_AUDIT=required, as in a
pipeline that has the real registries, an audit that wasn't answered fails, too.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
REQUIREMENTS = ROOT / "requirements.lock"
NPM_LOCKS = [ROOT / folder / "package-lock.json" for folder in ("server/libraries", "web_sdk/runtime", "e2e/libraries")]
KEPT = ROOT / ".cache" / "audit.json"
PIP_AUDIT = "pip-audit==2.10.1"
DAY, HOUR = 86_400, 3_600
SECONDS = 300

ACCEPTED: dict[str, str] = {}
"""Ids of vulnerabilities that don't concern us, each with the reason."""

Run = Callable[[list[str], Path], tuple[int, str]]


class UnansweredError(Exception):
    """Nobody could tell whether dependencies are vulnerable. The message says why."""


def run(command: list[str], folder: Path) -> tuple[int, str]:
    """Run a command, and return its exit status and what it printed. Raises `UnansweredError` where it can't run."""
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=SECONDS)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UnansweredError(f"{command[0]} could not be run: {error}") from error
    return done.returncode, done.stdout or done.stderr


def python_vulnerabilities(lock: Path = REQUIREMENTS, run: Run = run) -> list[str]:
    """Return the known vulnerabilities of the locked Python packages. Raises `UnansweredError`."""
    pinned = re.findall(r"^[A-Za-z0-9._-]+==[^\s;\\]+", lock.read_text(), re.MULTILINE)
    if not pinned:
        raise UnansweredError(f"{lock.name} pins nothing")
    # One package first: where the registry has no advisories, there is no need to ask for all the others.
    first = lock.with_name(".audit-first.txt")
    first.write_text(f"{pinned[0]}\n")
    try:
        _pip_audit(first, run)
    finally:
        first.unlink()
    return _pip_audit(lock, run)


def _pip_audit(requirements: Path, run: Run) -> list[str]:
    options = ["--disable-pip", "--no-deps", "--format", "json", "--progress-spinner", "off"]
    command = ["uv", "tool", "run", "--quiet", PIP_AUDIT, *options, "--requirement", str(requirements)]
    _, text = run(command, requirements.parent)
    told = _json(text, "pip-audit")
    packages = told.get("dependencies", [])
    skipped = [one["name"] for one in packages if "skip_reason" in one]
    if skipped or not packages:
        raise UnansweredError(
            f"the registry has no advisories: {len(skipped)} packages were unknown, such as {skipped[:3]}"
        )
    return [
        f"{one['name']} {one['version']}: {found['id']}"
        + (f", fixed in {', '.join(found['fix_versions'])}" if found["fix_versions"] else "")
        for one in packages
        for found in one["vulns"]
        if found["id"] not in ACCEPTED and not ACCEPTED.keys() & {*found.get("aliases", ())}
    ]


def npm_vulnerabilities(locks: list[Path] = NPM_LOCKS, run: Run = run) -> list[str]:
    """Return the known vulnerabilities of the locked npm packages. Raises `UnansweredError`."""
    found: list[str] = []
    for lock in locks:
        _, text = run([shutil.which("npm") or "npm", "audit", "--package-lock-only", "--json"], lock.parent)
        told = _json(text, "npm audit")
        if "vulnerabilities" not in told:
            raise UnansweredError(f"npm audit has no answer: {str(told.get('message', told))[:200]}")
        found += [
            f"{lock.parent.name}/{name}: {one['severity']}, {via.get('url', via.get('title', ''))}"
            for name, one in told["vulnerabilities"].items()
            for via in one["via"]
            if isinstance(via, dict) and via.get("url", "").rpartition("/")[2] not in ACCEPTED
        ]
    return found


def _json(text: str, who: str) -> dict[str, Any]:
    try:
        told = json.loads(text)
    except ValueError as error:
        raise UnansweredError(f"{who} has no answer: {text.strip()[-200:] or 'it printed nothing'}") from error
    return told if isinstance(told, dict) else {}


def answers(now: float) -> dict[str, dict[str, Any]]:
    """Return for each registry what it said, now or within the last day."""
    locks = hashlib.sha256(b"".join(one.read_bytes() for one in (REQUIREMENTS, *NPM_LOCKS, Path(__file__)))).hexdigest()
    try:
        kept = json.loads(KEPT.read_text())
    except (OSError, ValueError):
        kept = {}
    made: dict[str, dict[str, Any]] = {}
    for name, ask in (("PyPI", python_vulnerabilities), ("npm", npm_vulnerabilities)):
        before = kept.get(name, {})
        if before.get("locks") == locks and now - before["at"] < (HOUR if before["why"] else DAY):
            made[name] = before
            continue
        try:
            found, why = ask(), ""
        except UnansweredError as error:
            found, why = [], str(error)
        made[name] = {"locks": locks, "at": now, "found": found, "why": why}
    KEPT.parent.mkdir(exist_ok=True)
    KEPT.write_text(json.dumps(made))
    return made


def report(made: dict[str, dict[str, Any]], *, required: bool) -> int:
    """Say what was found, and return the exit status."""
    failed = False
    for name, one in made.items():
        if one["why"]:
            failed |= required
            say("!" * 100)
            say(f"NOT AUDITED: nobody has looked for known vulnerabilities in the dependencies from {name}.")
            say(f"{one['why']}")
            say("Run ./dev check where the registry itself answers, before anything is released.")
            say("!" * 100)
        elif one["found"]:
            failed = True
            say(f"{name}: {len(one['found'])} known vulnerabilities")
            for text in one["found"]:
                say(f"  {text}")
        else:
            say(f"{name}: no known vulnerability in the locked dependencies")
    return int(failed)


def say(text: str) -> None:
    """Print a line where the other lines of `dev` are."""
    print(f"audit: {text}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(report(answers(time.time()), required=os.environ.get("SATSUMA_AUDIT") == "required"))
