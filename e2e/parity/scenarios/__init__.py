"""The stories that both libraries play."""

from parity.story import Scenario

from . import (
    calls,
    delivery,
    device_mode,
    events,
    face,
    identity,
    losses,
    pipeline,
    plugins,
    storage,
    suite_calls,
    suite_delivery,
    suite_plugins,
)


def _titled(*beginnings: str) -> tuple[Scenario, ...]:
    """Return those of the suite whose titles begin so."""
    suite = (*suite_calls.SCENARIOS, *suite_plugins.SCENARIOS, *suite_delivery.SCENARIOS)
    return tuple(scenario for scenario in suite if scenario.title.startswith(beginnings))


CHAPTERS: dict[str, tuple[Scenario, ...]] = {
    "Arguments": _titled("Arguments of", "Ids that"),
    "Event fields": _titled("Event fields", "What a page does"),
    "Page": _titled("Page"),
    "Query string": _titled("Query string"),
    "Identity": (*identity.SCENARIOS, *_titled("Identity")),
    "Storage": (*storage.SCENARIOS, *_titled("Storage")),
    "Settings and load": _titled("Settings"),
    "Calls": calls.SCENARIOS,
    "Events": events.SCENARIOS,
    "Delivery": delivery.SCENARIOS,
    "Retries": _titled("Retries"),
    "Batches": _titled("Batching"),
    "Offline": _titled("Offline"),
    "Plugins, links and forms": (*plugins.SCENARIOS, *_titled("Plugins", "Where ours", "Links")),
    "Callbacks": _titled("Callbacks"),
    "Contexts and queue": _titled("Contexts", "What stands"),
    "What must lose no event": losses.SCENARIOS,
    "On the way to destinations": pipeline.SCENARIOS,
    "Destinations in the page": device_mode.SCENARIOS,
    "The face": face.SCENARIOS,
}
"""The areas of docs/parity.md."""

SCENARIOS = tuple(scenario for scenarios in CHAPTERS.values() for scenario in scenarios)
