"""The tests of the specification would notice if a rule of identity were broken."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from mutants.killed import SURVIVED, read
from mutants.mutants import MUTANTS, Mutant
from mutants.variant import CHECKOUT, build_variant
from satsuma_runtime.sources import Sources

SAMPLE = ("user-id-not-healed", "reset-keeps-anonymous-id")
"""Those that every run tries; the others are left to ./dev mutants and ./dev soak."""

TESTS = CHECKOUT / "e2e" / "flows" / "specification"
FAILED = re.compile(r"^(?:FAILED|ERROR) \S+::(\w+)", re.MULTILINE)


def chosen() -> Iterator[Any]:
    for mutant in MUTANTS:
        yield pytest.param(mutant, id=mutant.name, marks=[] if mutant.name in SAMPLE else [pytest.mark.soak])


@pytest.mark.timeout(600)
@pytest.mark.parametrize("mutant", [*chosen()])
def test_a_broken_rule_is_noticed(
    mutant: Mutant, tmp_path: Path, note: Callable[[str, str], None], request: pytest.FixtureRequest
) -> None:
    runtime = build_variant(mutant, tmp_path / "runtime")
    place = ("--python", request.config.getoption("--python"))
    told = _play(runtime, tmp_path, *place, "-k", mutant.test) or _play(runtime, tmp_path, *place)
    note(mutant.name, told)
    assert told, f"{mutant.says}: and no test fails"


def _play(runtime: Path, folder: Path, *chosen: str) -> str:
    """Run tests of the specification with a runtime; return the name of the first that fails, empty where none does."""
    command = [sys.executable, "-m", "pytest", str(TESTS), "-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist"]
    quiet = ["--satsuma-report", "off", "--output", str(folder / "results"), f"--ignore={TESTS / 'test_rules.py'}"]
    environment = {**os.environ, "SATSUMA_RUNTIME": str(runtime)}
    done = subprocess.run([*command, *quiet, *chosen], cwd=CHECKOUT, env=environment, capture_output=True, text=True)
    if done.returncode == 0:
        return ""
    # A test may fail a second time as it is torn down.
    failed = list(dict.fromkeys(FAILED.findall(done.stdout)))
    assert done.returncode == 1 and len(failed) == 1, done.stdout[-3000:] + done.stderr[-2000:]
    return str(failed[0])


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda one: one.name)
def test_each_fault_is_one_still(mutant: Mutant) -> None:
    sdk = Sources.of_checkout().sdk
    for name, fault in mutant.faults.items():
        assert fault.put_into((sdk / name).read_text())


def test_the_document_tells_of_all_and_none_survived() -> None:
    results = read()
    assert results.keys() == {mutant.name for mutant in MUTANTS}, "run ./dev mutants, which writes it"
    assert SURVIVED not in results.values()
