"""A source's tracking plan: which events a destination gets, as the source's settings say.

Source: analytics-next ``plugins/schema-filter``. The collector gets every event; the plan is for what runs in the page.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .plugins import DELIVERY_NAME, Context, PluginKind
from .validation import as_mapping


@dataclass(slots=True)
class SchemaFilter:
    """The plan as a ``before`` plugin.

    Attributes:
        plan: the plan by event name: ``{"enabled": bool, "integrations": {name: bool}}``; ``__default`` is for others.
        remotes: the settings' ``remotePlugins``: what a plan calls by its older name has another one there.
    """

    plan: Mapping[str, Any]
    remotes: Sequence[Mapping[str, Any]] = ()
    name: str = field(default="Schema Filter")
    kind: PluginKind = PluginKind.BEFORE

    @classmethod
    def from_settings(cls, settings: Mapping[str, Any], options: Mapping[str, Any]) -> SchemaFilter | None:
        """Return the filter that applies in a page, None for none.

        A plan of the settings counts where these name a destination beside the collector, as in analytics.js.
        """
        plan = options.get("plan")
        if len(as_mapping(settings.get("integrations"))) > 1:
            plan = settings.get("plan") or plan
        track = as_mapping(as_mapping(plan).get("track"))
        remotes = settings.get("remotePlugins")
        given = [one for one in remotes if isinstance(one, Mapping)] if isinstance(remotes, list) else []
        return cls(track, given) if track else None

    def _filter(self, context: Context) -> Context:
        name = context.event.get("event")
        if not name:
            return context
        planned = as_mapping(self.plan.get(name))
        held = dict(context.event.get("integrations") or {})
        if self._enabled(planned):
            more = {**as_mapping(planned.get("integrations")), **dict(self._actions(planned))}
        else:
            more = {"All": False, DELIVERY_NAME: True}
        context.event["integrations"] = {**held, **more}
        return context

    track = _filter

    def _enabled(self, planned: Mapping[str, Any]) -> bool:
        for rule in (planned, as_mapping(self.plan.get("__default"))):
            if isinstance(rule.get("enabled"), bool):
                return bool(rule["enabled"])
        return True

    def _actions(self, planned: Mapping[str, Any]) -> Iterator[tuple[str, bool]]:
        off = {name for name, on in as_mapping(planned.get("integrations")).items() if on is False}
        for remote in self.remotes:
            subscriptions = as_mapping(remote.get("settings")).get("subscriptions")
            if remote.get("creationName") in off and isinstance(subscriptions, list):
                actions = (one.get("partnerAction") for one in subscriptions if isinstance(one, Mapping))
                yield from ((f"{remote.get('name')} {action}", False) for action in actions)
