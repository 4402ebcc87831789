"""Cookies and localStorage are written as analytics.js writes them."""

import pytest
from satsuma import codec
from satsuma.errors import StorageError


@pytest.mark.parametrize(
    ("text", "cookie"),
    [
        ("97980cfea0067", "97980cfea0067"),
        ("a b", "a%20b"),
        ("semi;colon", "semi%3Bcolon"),
        ('say "hi"', "say%20%22hi%22"),
        ("a,b\\c", "a%2Cb%5Cc"),
        ("100%", "100%25"),
        ("Zoë 🍊", "Zo%C3%AB%20%F0%9F%8D%8A"),
        ("#$&+/:<=>?@[]^`{|}", "#$&+/:<=>?@[]^`{|}"),
    ],
)
def test_cookie_values_survive_the_round_trip_in_js_cookies_form(text: str, cookie: str) -> None:
    assert codec.encode_value(text) == cookie
    assert codec.find_cookie(f"other=1; ajs_user_id={cookie}", "ajs_user_id") == text


def test_quotes_around_a_cookie_are_not_part_of_it() -> None:
    assert codec.find_cookie('ajs_user_id="old"', "ajs_user_id") == "old"


def test_a_cookie_that_cannot_be_decoded_counts_as_absent() -> None:
    assert codec.find_cookie("ajs_user_id=%FF", "ajs_user_id") is None
    assert codec.find_cookie("ajs_user_id=%FF; ajs_user_id=second", "ajs_user_id") == "second"


def test_a_lone_surrogate_is_refused_with_a_clear_error() -> None:
    with pytest.raises(StorageError, match="lone surrogate"):
        codec.encode_value("\ud800")


@pytest.mark.parametrize(
    ("text", "value"),
    [('"u1"', "u1"), ("u1", "u1"), ("null", None), ("{bad", "{bad"), ("NaN", "NaN"), ('{"a":1}', {"a": 1})],
)
def test_broken_json_is_read_as_text(text: str, value: object) -> None:
    assert codec.from_json(text) == value


@pytest.mark.parametrize(
    ("stored", "text"),
    [(7, "7"), (7.0, "7"), (1.5, "1.5"), (12345678901234567890, "12345678901234567890"), ("x", "x")],
)
def test_ids_stored_as_numbers_become_text_with_every_digit(stored: object, text: str) -> None:
    assert codec.number_to_text(stored) == text
