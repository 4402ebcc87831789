"""All rules, in one table: one module a family."""

from __future__ import annotations

from satsuma_server.audit.rule import Rule

from . import (
    aliases,
    anonymous_ids,
    delivery,
    identify_calls,
    page_leaving,
    personal_data,
    resets,
    sign_ups,
    traits,
    user_ids,
)

FAMILIES = {
    "user_ids": user_ids.RULES,
    "identify_calls": identify_calls.RULES,
    "sign_ups": sign_ups.RULES,
    "page_leaving": page_leaving.RULES,
    "anonymous_ids": anonymous_ids.RULES,
    "resets": resets.RULES,
    "aliases": aliases.RULES,
    "traits": traits.RULES,
    "personal_data": personal_data.RULES,
    "delivery": delivery.RULES,
}

RULES: dict[str, Rule] = {rule.id: rule for rules in FAMILIES.values() for rule in rules}
FAMILY_OF = {rule.id: family for family, rules in FAMILIES.items() for rule in rules}
