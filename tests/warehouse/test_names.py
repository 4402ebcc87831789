"""What things are called: as Segment calls them, and safe whatever was sent."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from satsuma_server.warehouse.schema.names import (
    MOST_CHARACTERS,
    RESERVED_COLUMNS,
    RESERVED_SCHEMAS,
    RESERVED_TABLES,
    column_name,
    context_name,
    quoted,
    schema_name,
    snake_case,
    table_name,
)

# go-snakecase's own examples, and what follows from its rules.
SNAKES = {
    "sample text": "sample_text",
    "sample___text": "sample_text",
    "inviteYourCustomersAddInvites": "invite_your_customers_add_invites",
    "   $#$sample   2    Text   ": "sample_2_text",
    "SAMPLE 2 TEXT": "sample_2_text",
    "___$$Base64Encode": "base64_encode",
    "FOO:BAR$BAZ": "foo_bar_baz",
    "something.com": "something_com",
    "•¶§ƒ˚foo˙∆˚¬": "foo",
    "orderID": "order_id",
    "HTTPServer": "httpserver",
    "sample2Text": "sample_2text",
    "address_postalCode": "address_postal_code",
    "_id": "_id",
    "🎉": "",
}


@pytest.mark.parametrize(("text", "snake"), SNAKES.items())
def test_names_are_those_of_go_snakecase(text: str, snake: str) -> None:
    assert snake_case(text) == snake


@given(st.text())
def test_a_snake_case_name_stays_as_it_is(text: str) -> None:
    assert snake_case(snake_case(text)) == snake_case(text)


@given(st.text(max_size=400))
def test_any_name_comes_out_as_a_short_identifier(text: str) -> None:
    for name in (schema_name(text), table_name(text), column_name(text), context_name(text)):
        assert re.fullmatch("[a-z_][a-z0-9_]*", name)
        assert len(name) <= MOST_CHARACTERS
    assert schema_name(text) not in RESERVED_SCHEMAS
    assert table_name(text) not in RESERVED_TABLES
    assert column_name(text) not in RESERVED_COLUMNS
    assert not column_name(text).startswith("context_")


def test_names_that_are_taken_get_an_underscore() -> None:
    assert table_name("Users") == "_users"
    assert column_name("receivedAt") == "_received_at"
    assert column_name("context page url") == "_context_page_url"
    assert table_name("1st Order") == "_1st_order"


def test_long_names_differ_though_they_begin_alike() -> None:
    assert table_name("a" * 300) != table_name("a" * 301)
    assert table_name("🎉") != table_name("🎂")


def test_quotes_hold_anything() -> None:
    assert quoted('a"; drop table x; --', "b") == '"a""; drop table x; --"."b"'
