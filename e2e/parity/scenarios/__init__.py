"""The stories that both libraries play."""

from parity.story import Scenario

from . import calls, delivery, device_mode, events, face, identity, losses, pipeline, plugins, storage

CHAPTERS: dict[str, tuple[Scenario, ...]] = {
    "Identity": identity.SCENARIOS,
    "Storage": storage.SCENARIOS,
    "Calls": calls.SCENARIOS,
    "Events": events.SCENARIOS,
    "Delivery": delivery.SCENARIOS,
    "Plugins, links and forms": plugins.SCENARIOS,
    "What must lose no event": losses.SCENARIOS,
    "On the way to destinations": pipeline.SCENARIOS,
    "Destinations in the page": device_mode.SCENARIOS,
    "The face": face.SCENARIOS,
}
SCENARIOS = tuple(scenario for scenarios in CHAPTERS.values() for scenario in scenarios)
