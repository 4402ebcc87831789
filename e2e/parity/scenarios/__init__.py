"""The stories that both libraries play."""

from parity.story import Scenario

from . import (
    calls,
    consent,
    delivery,
    device_mode,
    elements,
    events,
    face,
    identity,
    losses,
    pipeline,
    plugins,
    storage,
    suite_calls,
    suite_delivery,
    suite_edges,
    suite_plugins,
    suite_sending,
)

SUITE = (
    *suite_calls.SCENARIOS,
    *suite_plugins.SCENARIOS,
    *suite_edges.SCENARIOS,
    *suite_delivery.SCENARIOS,
    *suite_sending.SCENARIOS,
)
"""What goes by areas, whose names its titles begin with."""


def _titled(*beginnings: str) -> tuple[Scenario, ...]:
    """Return those of the suite whose titles begin so."""
    return tuple(scenario for scenario in SUITE if scenario.title.startswith(beginnings))


def _plans(*, wanted: bool) -> tuple[Scenario, ...]:
    """Return those of the destinations in the page that are about tracking plans, or all others."""
    return tuple(one for one in device_mode.SCENARIOS if (" plan" in one.title) == wanted)


def _followed(*, wanted: bool) -> tuple[Scenario, ...]:
    """Return those of the plugins that are about links and forms, or all others."""
    words = ("tracked", "Nothing to track")
    return tuple(one for one in plugins.SCENARIOS if any(word in one.title for word in words) == wanted)


CHAPTERS: dict[str, tuple[Scenario, ...]] = {
    "Arguments": _titled("Arguments of", "Ids that"),
    "Event fields": _titled("Event fields", "What a page does"),
    "Page": _titled("Page"),
    "Query string": _titled("Query string"),
    "Identity": (*identity.SCENARIOS, *_titled("Identity")),
    "Storage": (*storage.SCENARIOS, *_titled("Storage")),
    "Load": _titled("When", "What initialize"),
    "Settings": _titled("Settings"),
    "Calls": calls.SCENARIOS,
    "Events": events.SCENARIOS,
    "Delivery": (*delivery.SCENARIOS, *_titled("An event outlives")),
    "Retries": _titled("Retries"),
    "Batches": _titled("Batching"),
    "Offline": _titled("Offline"),
    "Plugins": (*_followed(wanted=False), *_titled("Plugins", "Where ours")),
    "Links and forms": (*_followed(wanted=True), *_titled("Links and forms"), *elements.SCENARIOS),
    "Callbacks": _titled("Callbacks"),
    "Contexts and queue": _titled("Contexts", "What stands"),
    "Plan": (*_plans(wanted=True), *_titled("Plan:")),
    "What must lose no event": losses.SCENARIOS,
    "On the way to destinations": pipeline.SCENARIOS,
    "Destinations in the page": _plans(wanted=False),
    "Consent wrapper": consent.SCENARIOS,
    "The face": face.SCENARIOS,
}
"""The areas of docs/parity.md."""

SCENARIOS = tuple(scenario for scenarios in CHAPTERS.values() for scenario in scenarios)
