"""Every argument form of analytics.js means what it means there."""

import pytest
from satsuma import arguments
from satsuma.errors import ArgumentError


def done(*_: object) -> None: ...


def test_track_forms() -> None:
    full = arguments.read_track(["Signed Up", {"plan": "pro"}, {"timestamp": "t"}, done])
    assert (full.event, full.properties, full.options, full.callback) == (
        "Signed Up",
        {"plan": "pro"},
        {"timestamp": "t"},
        done,
    )
    assert arguments.read_track(["Signed Up", done]).callback is done
    as_object = arguments.read_track([{"event": "Signed Up", "properties": {"plan": "pro"}}, {"timestamp": "t"}])
    assert (as_object.event, as_object.properties, as_object.options) == (
        "Signed Up",
        {"plan": "pro"},
        {"timestamp": "t"},
    )


@pytest.mark.parametrize("args", [[], [None], [""], [7], [{"properties": {}}]])
def test_a_track_without_a_name_says_what_to_do(args: list[object]) -> None:
    with pytest.raises(ArgumentError, match="give the event's name"):
        arguments.read_track(args)


@pytest.mark.parametrize(
    ("args", "category", "name", "properties", "options"),
    [
        ([], None, None, {}, {}),
        (["Name"], None, "Name", {}, {}),
        (["Category", "Name"], "Category", "Name", {}, {}),
        ([None, "Name"], None, "Name", {}, {}),
        ([{"a": 1}], None, None, {"a": 1}, {}),
        ([{"a": 1}, {"o": 2}], None, None, {"a": 1}, {"o": 2}),
        (["Name", {"a": 1}, {"o": 2}], None, "Name", {"a": 1}, {"o": 2}),
        (["Category", "Name", {"a": 1}], "Category", "Name", {"a": 1}, {}),
        (["Category", "Name", None, {"o": 2}], "Category", "Name", {}, {"o": 2}),
        (["Category", "Name", {"a": 1}, {"o": 2}, done], "Category", "Name", {"a": 1}, {"o": 2}),
    ],
)
def test_page_forms(args: list[object], category: object, name: object, properties: object, options: object) -> None:
    call = arguments.read_page(args)
    assert (call.category, call.name, call.properties, call.options) == (category, name, properties, options)


@pytest.mark.parametrize(
    ("args", "id", "traits", "options"),
    [
        ([], None, {}, {}),
        (["u1"], "u1", {}, {}),
        ([7], "7", {}, {}),
        ([7.0], "7", {}, {}),
        ([{"email": "e"}], None, {"email": "e"}, {}),
        ([None, {"email": "e"}], None, {"email": "e"}, {}),
        (["u1", None, {"o": 1}], "u1", {}, {"o": 1}),
        (["u1", {"email": "e"}, {"o": 1}, done], "u1", {"email": "e"}, {"o": 1}),
        (["u1", done], "u1", {}, {}),
    ],
)
def test_identify_forms(args: list[object], id: object, traits: object, options: object) -> None:
    call = arguments.read_identify(args)
    assert (call.id, call.traits, call.options) == (id, traits, options)
    assert (call.callback is done) == (done in args)


@pytest.mark.parametrize(
    ("args", "to", "from_", "options"),
    [
        (["new"], "new", None, {}),
        (["new", "old"], "new", "old", {}),
        ([1, 2], "1", "2", {}),
        (["new", {"o": 1}], "new", None, {"o": 1}),
        (["new", "old", {"o": 1}, done], "new", "old", {"o": 1}),
        ([], None, None, {}),
    ],
)
def test_alias_forms(args: list[object], to: object, from_: object, options: object) -> None:
    call = arguments.read_alias(args)
    assert (call.to, call.from_, call.options) == (to, from_, options)
