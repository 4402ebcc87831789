"""docs/audit.md says what the rules are."""

from __future__ import annotations

import msgspec
from audit.document import DOCUMENT, SCHEMA, rules_table, schema, written
from audit.test_worlds import FAULTS
from satsuma_server.settings import AuditSettings

AGAIN = "./dev run python tests/audit/document.py writes it"


def test_the_table_of_rules_is_that_of_the_code() -> None:
    assert written("rules") == rules_table(), AGAIN


def test_the_schema_is_that_of_the_report() -> None:
    assert SCHEMA.read_bytes() == schema(), AGAIN


def test_each_rule_was_held_against_its_fault() -> None:
    rows = [line.split("`")[1] for line in written("faults").splitlines() if line.startswith("| `")]
    assert rows == FAULTS, f"{AGAIN}, with --faults"


def test_each_setting_has_a_reason() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    settings = {one.name for one in msgspec.structs.fields(AuditSettings)} - {"rules"}
    assert [name for name in sorted(settings) if f"`{name}`" not in text] == []
