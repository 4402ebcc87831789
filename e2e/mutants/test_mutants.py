"""The tests of the specification would notice if a rule of identity were broken."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from killed import DOCUMENT
from mutants import MUTANTS, Mutant
from satsuma_runtime.sources import Sources
from variant import CHECKOUT, build_variant

SAMPLE = {"user-id-not-healed": "test_expiry.py", "reset-keeps-anonymous-id": "test_reset.py"}
"""Those that every run tries, and the tests that are to notice them; the others are left to ./dev soak."""

FAILED = re.compile(r"^(?:FAILED|ERROR) \S+::(\w+)", re.MULTILINE)


def chosen() -> Iterator[Any]:
    for mutant in MUTANTS:
        yield pytest.param(mutant, id=mutant.name, marks=[] if mutant.name in SAMPLE else [pytest.mark.soak])


@pytest.mark.timeout(600)
@pytest.mark.parametrize("mutant", [*chosen()])
def test_a_broken_rule_is_noticed(mutant: Mutant, tmp_path: Path, killed: dict[str, str]) -> None:
    runtime = build_variant(mutant, tmp_path / "runtime")
    tests = CHECKOUT / "e2e" / "flows" / "specification"
    where = tests / SAMPLE.get(mutant.name, "")
    command = [sys.executable, "-m", "pytest", str(where), "-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist"]
    quiet = [
        "--satsuma-report",
        "off",
        "--output",
        str(tmp_path / "results"),
        "--deselect",
        str(tests / "test_rules.py"),
    ]
    environment = {**os.environ, "SATSUMA_RUNTIME": str(runtime)}
    done = subprocess.run([*command, *quiet], cwd=CHECKOUT, env=environment, capture_output=True, text=True)
    assert done.returncode == 1, f"{mutant.says}: and no test fails\n{done.stdout[-3000:]}{done.stderr[-2000:]}"
    [test] = FAILED.findall(done.stdout)
    killed[mutant.name] = test


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda one: one.name)
def test_each_fault_is_one_still(mutant: Mutant) -> None:
    sdk = Sources.of_checkout().sdk
    for name, fault in mutant.faults.items():
        assert fault.put_into((sdk / name).read_text())


def test_the_document_tells_of_all_and_none_survived() -> None:
    text = DOCUMENT.read_text()
    assert [mutant.says for mutant in MUTANTS if f"| {mutant.says} | " not in text] == []
    assert "**survived**" not in text
