"""Models of services: each checks requests by the rules of its public documentation, and keeps what counts here.

They are models. What the services really do was not seen: nothing here ever reached them. Of the pages that are named,
excerpts were read on that day, and not each page as a whole.
"""

from __future__ import annotations

import base64
import re
import time
import uuid
from dataclasses import dataclass, field
from typing import Any

from destinations.receiver import Received
from starlette.responses import JSONResponse, PlainTextResponse, Response

TOKEN = "the-token-of-the-project"
DELETION_TOKEN = "the-token-that-deletes"

PLACEHOLDERS = {"anon", "anonymous", "nil", "none", "null", "n/a", "00000000-0000-0000-0000-000000000000"}


@dataclass
class Mixpanel:
    """https://docs.mixpanel.com/reference/import-events and …/troubleshooting/errors/400-bad-request, read 2026-11-29:
    up to 2,000 events; Basic auth with the project token; strict=1 names what is wrong in failed_records, and takes the
    rest; $insert_id is required and dedupes; time is after 1971 and not more than an hour ahead.

    https://docs.mixpanel.com/docs/tracking-methods/id-management, read 2026-11-29: `simplified` links $device_id and
    $user_id where an event has both; `original` links by $identify, $create_alias and $merge, also backwards; `legacy`
    maps an alias to a distinct_id once, for events that come afterwards.

    https://docs.mixpanel.com/reference/gdpr-api and …/openapi/gdpr.openapi.yaml, read 2026-11-29: a deletion is POSTed
    to /api/app/data-deletions/v3.0/ of the app's host with the project token in the query, an OAuth token as Bearer,
    and up to 2,000 distinct_ids; it answers status "ok" and a task_id. 429 where more than one comes in a second.
    """

    id_merge: str
    events: dict[str, dict[str, Any]] = field(default_factory=dict)
    profiles: dict[str, dict[str, Any]] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)
    parents: dict[str, str] = field(default_factory=dict)
    requests: list[tuple[str, Any]] = field(default_factory=list)

    def __call__(self, request: Received) -> Response:
        self.requests.append((request.path, request.json))
        if request.path == "/engage":
            for one in request.json:
                assert one["$token"] == TOKEN
                self.profiles.setdefault(self.resolve(one["$distinct_id"]), {}).update(one["$set"])
            return JSONResponse({"status": 1, "error": None})
        if request.path == "/api/app/data-deletions/v3.0/":
            return self.delete(request)
        assert request.path == "/import"
        if request.headers["authorization"] != "Basic " + base64.b64encode(f"{TOKEN}:".encode()).decode():
            return PlainTextResponse("bad credentials", 401)
        assert request.query["strict"] == "1"
        assert len(request.json) <= 2000
        failed = []
        for place, event in enumerate(request.json):
            if problem := self.problem(event):
                failed.append({"index": place, "field": problem, "message": "is invalid"})
            else:
                self.take(event)
        if failed:
            return JSONResponse({"code": 400, "status": "Bad Request", "failed_records": failed}, 400)
        return JSONResponse({"code": 200, "status": "OK", "num_records_imported": len(request.json)})

    def delete(self, request: Received) -> Response:
        assert request.query == {"token": TOKEN}
        if request.headers["authorization"] != f"Bearer {DELETION_TOKEN}":
            return JSONResponse({"status": "error", "error": "Invalid token"}, 401)
        assert request.json["compliance_type"] in ("GDPR", "CCPA")
        assert 1 <= len(request.json["distinct_ids"]) <= 2000
        gone = {self.resolve(id) for id in request.json["distinct_ids"]}
        self.events = {key: one for key, one in self.events.items() if self.resolve(one["person"]) not in gone}
        self.profiles = {name: one for name, one in self.profiles.items() if self.resolve(name) not in gone}
        return JSONResponse({"status": "ok", "results": {"task_id": "1583958653237270282"}})

    def problem(self, event: dict[str, Any]) -> str:
        properties = event["properties"]
        if not event.get("event"):
            return "event"
        if not re.fullmatch(r"[A-Za-z0-9-]{1,36}", properties.get("$insert_id", "")):
            return "properties.$insert_id"
        if not 31_536_000_000 <= properties.get("time", 0) <= (time.time() + 3600) * 1000:
            return "properties.time"
        if str(properties.get("distinct_id", "")).lower() in PLACEHOLDERS:
            return "properties.distinct_id"
        return ""

    def take(self, event: dict[str, Any]) -> None:
        properties = event["properties"]
        name, key = event["event"], properties["$insert_id"]
        if key in self.events:
            return
        if name == "$create_alias":
            self.alias(properties["alias"], properties["distinct_id"])
        elif name == "$identify" and self.id_merge == "original":
            assert uuid.UUID(properties["$anon_id"]).version == 4
            self.merge(properties["$identified_id"], properties["$anon_id"])
        elif name == "$merge" and self.id_merge == "original":
            self.merge(*properties["$distinct_ids"])
        if self.id_merge == "simplified":
            device, user = properties.get("$device_id"), properties.get("$user_id")
            if device and user:
                self.merge(user, f"$device:{device}")
            person = user or f"$device:{device}"
        else:
            person = self.aliases.get(properties.get("distinct_id", ""), properties.get("distinct_id", ""))
        self.events[key] = {"event": name, "person": person, **properties}

    def alias(self, alias: str, original: str) -> None:
        if self.id_merge == "original":
            self.merge(original, alias)
        is_used = alias in self.profiles or any(one["person"] == alias for one in self.events.values())
        if self.id_merge == "legacy" and alias not in self.aliases and not is_used:
            self.aliases[alias] = original

    def merge(self, one: str, other: str) -> None:
        self.parents[self.root(other)] = self.root(one)

    def root(self, name: str) -> str:
        while name in self.parents and self.parents[name] != name:
            name = self.parents[name]
        return name

    def resolve(self, name: str) -> str:
        return self.root(self.aliases.get(name, name))

    def funnel(self, *steps: str) -> list[int]:
        """Return how many people have come to each step."""
        done: dict[str, int] = {}
        for event in sorted(self.events.values(), key=lambda one: one["time"]):
            person = self.resolve(event["person"])
            place = done.get(person, 0)
            if place < len(steps) and event["event"] == steps[place]:
                done[person] = place + 1
        return [sum(place > step for place in done.values()) for step in range(len(steps))]


@dataclass
class Kissmetrics:
    """https://support.kissmetrics.io/reference/api-specifications-1 and …/docs/identities, read 2026-11-29: GET /e, /s
    and /a with _k, _p (255 characters) and _n; _t needs _d=1; the answer is always 200. An alias makes two identities
    one person. Duplicates are told by person, event and time.

    "Anonymous history is lost" (the specification): an alias connects nothing once the identity has events of its own.
    """

    events: list[tuple[str, str, int]] = field(default_factory=list)
    aliases: dict[str, str] = field(default_factory=dict)
    properties: dict[str, dict[str, str]] = field(default_factory=dict)

    def __call__(self, request: Received) -> Response:
        query = request.query
        assert query.pop("_k") == TOKEN
        assert 0 < len(query["_p"]) <= 255
        if request.path == "/a":
            assert 0 < len(query["_n"]) <= 255
            is_used = any(person == query["_n"] for person, _, _ in self.events) or query["_n"] in self.properties
            if not is_used:
                self.aliases.setdefault(query["_n"], query["_p"])
            return PlainTextResponse("GIF89a")
        assert query["_d"] == "1"
        assert int(query["_t"]) > 1_000_000_000
        person = query["_p"]
        if request.path == "/e":
            event = person, query["_n"], int(query["_t"])
            if event not in self.events:
                self.events.append(event)
        else:
            assert request.path == "/s"
        own = {name: value for name, value in query.items() if not name.startswith("_")}
        self.properties.setdefault(person, {}).update(own)
        return PlainTextResponse("GIF89a")

    def people_who(self, *names: str) -> set[str]:
        """Return the people who have done all of these."""
        done: dict[str, set[str]] = {}
        for person, name, _ in self.events:
            done.setdefault(self.aliases.get(person, person), set()).add(name)
        return {person for person, seen in done.items() if seen >= set(names)}


@dataclass
class Amplitude:
    """https://amplitude.com/docs/apis/analytics/http-v2, read 2026-11-29: a request has api_key and at most 2,000
    events and 1 MB; each needs event_type and a user_id or device_id; insert_id dedupes; a 400 names events by field,
    and none of the request is taken; 429 asks for a pause of 30 seconds.

    https://amplitude.com/docs/apis/analytics/user-privacy, read 2026-11-29: POST /api/2/deletions/users of the app's
    host with Basic auth of API key and secret key; up to 100 user_ids or amplitude_ids, and no device ids; unknown
    users are refused unless ignore_invalid_id is "true". It deletes all data of the Amplitude IDs of these users, which
    include their devices."""

    events: dict[str, dict[str, Any]] = field(default_factory=dict)

    def delete(self, request: Received) -> Response:
        given = base64.b64encode(f"{TOKEN}:{DELETION_TOKEN}".encode()).decode()
        if request.headers["authorization"] != f"Basic {given}":
            return JSONResponse({"error": "Forbidden"}, 403)
        users = set(request.json["user_ids"])
        assert 1 <= len(users) <= 100
        known = {one.get("user_id") for one in self.events.values()}
        if request.json.get("ignore_invalid_id") != "true" and not users <= known:
            return JSONResponse({"error": "invalid user_ids"}, 400)
        devices = {one.get("device_id") for one in self.events.values() if one.get("user_id") in users} - {None}
        self.events = {
            key: one
            for key, one in self.events.items()
            if one.get("user_id") not in users and one.get("device_id") not in devices
        }
        return JSONResponse([{"day": "2026-12-10", "status": "staging", "amplitude_ids": []}])

    def __call__(self, request: Received) -> Response:
        if request.path == "/api/2/deletions/users":
            return self.delete(request)
        body = request.json
        if body["api_key"] != TOKEN:
            return JSONResponse({"code": 400, "error": "Invalid API key: api_key"}, 400)
        assert len(body["events"]) <= 2000
        assert len(request.body) <= 1 << 20
        missing = [place for place, one in enumerate(body["events"]) if not one.get("event_type")]
        if missing:
            return JSONResponse({"code": 400, "events_with_missing_fields": {"event_type": missing}}, 400)
        for one in body["events"]:
            assert one.get("user_id") or one.get("device_id")
            assert isinstance(one["time"], int)
            self.events.setdefault(one["insert_id"], one)
        return JSONResponse({"code": 200, "events_ingested": len(body["events"])})


@dataclass
class Ga4:
    """https://developers.google.com/analytics/devguides/collection/protocol/ga4/sending-events, read 2026-11-29: POST
    /mp/collect with measurement_id and api_secret; client_id; at most 25 events; names of at most 40 letters, digits
    and underscores that begin with a letter; at most 25 parameters, values of at most 100 characters; 130 kB. It
    answers 204 in any case, so that the model raises."""

    events: list[dict[str, Any]] = field(default_factory=list)

    def __call__(self, request: Received) -> Response:
        assert request.path == "/mp/collect"
        assert request.query == {"measurement_id": "G-TEST", "api_secret": TOKEN}
        assert len(request.body) <= 130_000
        body = request.json
        assert body["client_id"]
        assert 1 <= len(body["events"]) <= 25
        for event in body["events"]:
            assert re.fullmatch(r"[A-Za-z]\w{0,39}", event["name"], re.ASCII), event
            assert len(event["params"]) <= 25
            for name, value in event["params"].items():
                assert re.fullmatch(r"[A-Za-z]\w{0,39}", name, re.ASCII), name
                assert not isinstance(value, dict | list)
                assert len(str(value)) <= 100
            self.events.append({**body, **event})
        return Response(status_code=200)


@dataclass
class PostHog:
    """https://posthog.com/docs/api/capture, read 2026-11-29: POST /batch/ with api_key; each event has event and
    distinct_id; $identify with $anon_distinct_id and $create_alias link ids, unless the linked one was identified
    before. An event with the uuid of another is the same one.

    https://posthog.com/docs/api/persons and …/docs/privacy/data-deletion, read 2026-11-29: POST
    /api/projects/{project_id}/persons/bulk_delete/ of the app's host with a personal API key as Bearer, up to 1,000
    distinct_ids, and delete_events to have the events deleted, too. It deletes the persons that these ids belong to."""

    events: dict[str, dict[str, Any]] = field(default_factory=dict)
    links: set[tuple[str, str]] = field(default_factory=set)

    def delete(self, request: Received) -> Response:
        if request.headers["authorization"] != f"Bearer {DELETION_TOKEN}":
            return JSONResponse({"detail": "Invalid personal API key."}, 401)
        ids = set(request.json["distinct_ids"])
        assert 1 <= len(ids) <= 1000
        ids |= {id for link in self.links for id in link if ids & set(link)}
        if request.json["delete_events"]:
            self.events = {key: one for key, one in self.events.items() if one["distinct_id"] not in ids}
        return Response(status_code=202)

    def __call__(self, request: Received) -> Response:
        if request.path == "/api/projects/17/persons/bulk_delete/":
            return self.delete(request)
        assert request.path == "/batch/"
        assert request.json["api_key"] == TOKEN
        for one in request.json["batch"]:
            assert one["event"]
            assert one["distinct_id"]
            uuid.UUID(one["uuid"])
            if anonymous := one["properties"].get("$anon_distinct_id"):
                self.links.add((anonymous, one["distinct_id"]))
            self.events.setdefault(one["uuid"], one)
        return JSONResponse({"status": "Ok"})
