"""The answer that RudderStack's browser SDK wants of its control plane before it sends anything.

Source: ``@rudderstack/analytics-js``, which asks ``CONFIG_URL/sourceConfig/`` with its write key as Basic auth user and
in the query. The collector is the data plane; there are no destinations that the page would have to load.
"""

from __future__ import annotations

from typing import Any

UPDATED_AT = "2026-01-01T00:00:00.000Z"


def source_config(write_key: str, name: str, origin: str) -> dict[str, Any]:
    """Return the configuration of a source whose only destination is the collector.

    Args:
        origin: where the collector is reached, as ``https://collector.example``; it becomes the data plane of pages
            that name none.
    """
    reporting = {"errors": {"enabled": False}, "metrics": {"enabled": False}}
    source = {
        "id": write_key,
        "name": name,
        "writeKey": write_key,
        "enabled": True,
        "workspaceId": "satsuma",
        "updatedAt": UPDATED_AT,
        "config": {"statsCollection": reporting},
        "connections": [],
        "destinations": [],
        "dataplanes": {"US": [{"url": origin, "default": True}]},
    }
    return {"source": source, "updatedAt": UPDATED_AT}
