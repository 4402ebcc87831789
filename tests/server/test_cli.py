"""The command, as an operator uses it: started, ready, stopped."""

from __future__ import annotations

import gzip
import json
import os
import signal
import subprocess
from pathlib import Path

import httpx
import pytest
from satsuma_server.read_api import event_pages
from satsuma_server.settings import Source
from satsuma_server.testing import SATSUMA, Collector, running, started

STRONG = "b3f1c07d52e94a68"


def test_serve_keeps_its_events_over_a_stop(tmp_path: Path) -> None:
    for number in (1, 2):
        with started(tmp_path, "serve", "--accept-any-key", "--token", "secret") as told:
            assert httpx.get(f"{told['url']}/v1/health", trust_env=False).json() == {"status": "ready"}
            event = {"event": f"E{number}", "anonymousId": "a", "writeKey": "k"}
            httpx.post(f"{told['url']}/v1/track", json=event, trust_env=False).raise_for_status()
            assert len(Collector(told["url"], "secret").events()) == number
            told["process"].send_signal(signal.SIGTERM)
            assert told["process"].wait(15) == 0


def test_options_may_come_from_the_environment(tmp_path: Path) -> None:
    env = {"SATSUMA_WRITE_KEYS": "k1", "SATSUMA_TOKEN": "from-the-environment-" + STRONG}
    with started(tmp_path, "serve", env=env) as told:
        refused = httpx.post(f"{told['url']}/v1/track", json={"event": "E", "anonymousId": "a", "writeKey": "k2"})
        assert refused.status_code == 401
        assert Collector(told["url"], env["SATSUMA_TOKEN"]).events() == []


@pytest.mark.parametrize(
    ("token", "more", "told"),
    [
        ("secret", ("--write-key", "k"), "fewer than 32 characters"),
        ("ab" * 40, ("--write-key", "k"), "different characters"),
        ("secret", ("--accept-any-key", "--host", "0.0.0.0"), "openssl rand"),
    ],
)
def test_a_token_that_could_be_guessed_is_refused_at_the_start(
    tmp_path: Path, token: str, more: tuple[str, ...], told: str
) -> None:
    command = [*SATSUMA, "serve", *more, "--port", "0", "--data", str(tmp_path / "data"), "--token", token]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert told in " ".join(done.stderr.split())
    assert token not in done.stderr
    assert not (tmp_path / "data").exists()


def test_serve_without_a_source_says_what_to_do(tmp_path: Path) -> None:
    done = subprocess.run([*SATSUMA, "serve", "--data", str(tmp_path)], capture_output=True, text=True)
    assert done.returncode == 1
    assert "--write-key" in done.stderr


def test_a_taken_port_is_one_clear_line(tmp_path: Path) -> None:
    with started(tmp_path, "serve", "--accept-any-key") as told:
        port = told["url"].rpartition(":")[2]
        command = [*SATSUMA, "serve", "--accept-any-key", "--port", port, "--data", str(tmp_path / "other")]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 1
        assert "--port" in done.stderr
        assert "Traceback" not in done.stderr


def test_demo_serves_collector_and_shop(tmp_path: Path) -> None:
    with started(tmp_path, "demo", "--shop-port", "0") as told:
        page = httpx.get(told["shop_url"], trust_env=False)
        assert page.status_code == 200
        assert told["url"] in page.text
        assert told["token"] not in page.text


def run(*args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*SATSUMA, *args], capture_output=True, text=True, timeout=60)


def test_events_are_exported_and_replayed_with_their_times_and_only_once(tmp_path: Path) -> None:
    file = tmp_path / "events.ndjson"
    with running(tmp_path / "one") as one, running(tmp_path / "two") as two:
        for number in range(3):
            event = {
                "event": f"E{number} \x1b[31m",
                "anonymousId": "a",
                "timestamp": f"2020-01-0{number + 1}T00:00:00Z",
            }
            httpx.post(f"{one.url}/v1/track", json=event, trust_env=False).raise_for_status()
        assert run("export", "--url", one.url, "--token", one.token, "-o", str(file)).returncode == 0
        for _ in range(2):
            done = run("replay", str(file), "--url", two.url)
            assert done.returncode == 0, done.stderr
            assert "3 events accepted, 0 refused" in done.stderr
        names = ("event", "messageId", "timestamp", "anonymousId")
        assert [[event[name] for name in names] for event in two.events()] == [
            [event[name] for name in names] for event in one.events()
        ]


def test_replay_names_the_lines_that_were_refused(tmp_path: Path) -> None:
    file = tmp_path / "events.ndjson"
    file.write_text('{"type":"track","event":"E","userId":"u"}\n\nnonsense\n{"type":"track","userId":"u"}\n')
    with running(tmp_path / "data") as collector:
        done = run("replay", str(file), "--url", collector.url)
        assert done.returncode == 1
        assert "event 2: is not a JSON object" in done.stderr
        assert "event 3: .event is missing" in done.stderr
        assert len(collector.events()) == 1


def posthog_rows(count: int) -> bytes:
    rows = [
        {"uuid": f"m{n}", "event": "E", "distinct_id": "u1", "timestamp": f"2026-01-01T00:{n // 60:02}:{n % 60:02}Z"}
        for n in range(count)
    ]
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def test_replay_tries_an_archive_of_another_product_and_sends_nothing(tmp_path: Path) -> None:
    file = tmp_path / "export.json.gz"
    file.write_bytes(gzip.compress(posthog_rows(3) + b'{"event":"$autocapture"}\n{}\n'))
    done = run("replay", str(file), "--from", "posthog", "--dry-run", "--url", "http://127.0.0.1:9")
    assert done.returncode == 1
    assert "event 5: .event is missing" in done.stderr
    assert "1 rows passed over" in done.stderr
    assert "track: 3" in done.stderr
    assert "3 events would be accepted, 1 refused" in done.stderr


def test_a_replay_that_was_stopped_goes_on_where_it_was(tmp_path: Path) -> None:
    file, state = tmp_path / "export.ndjson", tmp_path / "state.json"
    file.write_bytes(posthog_rows(250))
    state.write_text(json.dumps({str(file): 200}))
    with running(tmp_path / "data") as collector:
        options = ("--from", "posthog", "--resume", str(state), "--url", collector.url)
        assert "50 events accepted, 0 refused" in run("replay", str(file), *options).stderr
        assert json.loads(state.read_text()) == {str(file): 250}
        assert "0 events accepted, 0 refused" in run("replay", str(file), *options).stderr
        assert [event["messageId"] for event in collector.events()][:1] == ["m200"]
        state.write_text("[]")
        done = run("replay", str(file), *options)
        assert (done.returncode, "says nothing of a replay" in done.stderr) == (1, True)


def test_replay_reads_standard_input(tmp_path: Path) -> None:
    with running(tmp_path / "data") as collector:
        command = [*SATSUMA, "replay", "-", "--url", collector.url]
        done = subprocess.run(command, input=b'[{"type":"page","userId":"u1"}]', capture_output=True, timeout=60)
        assert b"1 events accepted, 0 refused" in done.stderr
        assert len(collector.events()) == 1


def test_tail_shows_events_as_they_come_and_no_control_characters(tmp_path: Path) -> None:
    with running(tmp_path / "data") as collector:
        command = [*SATSUMA, "tail", "--url", collector.url, "--token", collector.token]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, "COLUMNS": "200"}) as tail:
            for name in ("First", "[bold]Second\x1b[31m"):
                event = {"event": name, "anonymousId": "a1"}
                httpx.post(f"{collector.url}/v1/track", json=event, trust_env=False).raise_for_status()
                assert tail.stdout is not None
                line = tail.stdout.readline()
                assert name.partition("\x1b")[0] in line
                assert "\x1b" not in line
            tail.terminate()


def test_the_snippet_is_printed_ready_to_paste() -> None:
    done = run("snippet", "--url", "https://collector.test", "--write-key", "k1")
    assert done.returncode == 0
    assert '"https://collector.test","k1"' in done.stdout
    assert done.stdout.startswith("<script>")
    short = run("snippet", "--url", "https://collector.test", "--write-key", "k1", "--short").stdout
    assert short == '<script src="https://collector.test/analytics.js/snippet.js?writeKey=k1"></script>\n'
    npm = run("snippet", "--url", "https://collector.test", "--write-key", "k1", "--npm").stdout
    assert 'AnalyticsBrowser.load({"writeKey": "k1", "cdnURL": "https://collector.test"});' in npm


def test_the_snippet_for_a_service_worker_and_the_line_that_it_needs() -> None:
    asked = ("snippet", "--url", "https://collector.test", "--write-key", "k1")
    assert run(*asked, "--service-file").stdout == (
        'importScripts("https://collector.test/analytics.js/v1/k1/service.js");\n'
    )
    pasted = run(*asked, "--service").stdout
    assert '{"python": "service"}' in pasted
    assert "serviceWorker" in pasted
    assert "serviceWorker" not in run(*asked).stdout
    assert """data-options='{"python": "service"}'""" in run(*asked, "--service", "--short").stdout
    assert ', {"python": "service"});' in run(*asked, "--service", "--npm").stdout


def test_the_doctor_finds_what_is_wrong(tmp_path: Path) -> None:
    source = Source("shop", origins=("https://shop.test",))
    with running(tmp_path / "data", sources=(source,), accept_any_key=False) as collector:
        asked = ("doctor", "--url", collector.url, "--data", str(tmp_path))
        well = run(*asked, "--write-key", "shop", "--site", "https://shop.test")
        assert "takes events" in well.stdout
        assert well.stdout.count("ill") == 1  # 127.0.0.1 shares no cookies with shop.test.
        ill = run(*asked, "--write-key", "other", "--site", "https://evil.test")
        assert ill.returncode == 1
        assert ill.stdout.count("ill ") == 3
    gone = run("doctor", "--url", collector.url)
    assert gone.returncode == 1
    assert "Traceback" not in gone.stderr


def test_export_and_tail_take_filters_and_go_on_through_pages_without_a_match(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_pages, "MOST_SCANNED", 2)
    file = tmp_path / "events.ndjson"
    with running(tmp_path / "data") as collector:
        for number in range(8):
            event = {"event": f"E{number} \u2028", "userId": f"u{number % 7}", "writeKey": "shop"}
            httpx.post(f"{collector.url}/v1/track", json=event, trust_env=False).raise_for_status()
        asked = ("--url", collector.url, "--token", collector.token)
        chosen = ("--user-id", "u0", "--user-id", "u5", "--source", "shop", "--type", "track")
        done = run("export", *asked, *chosen, "-o", str(file))
        assert done.returncode == 0, done.stderr
        names = [json.loads(line)["event"] for line in file.read_bytes().splitlines()]
        assert names == ["E0 \u2028", "E5 \u2028", "E7 \u2028"]
        wrong = run("export", *asked, "--received-after", "yesterday")
        assert wrong.returncode == 1
        assert "receivedAfter" in wrong.stderr
        command = [*SATSUMA, "tail", *asked, "--user-id", "u5", "--json"]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as tail:
            assert tail.stdout is not None
            assert json.loads(tail.stdout.readline())["event"] == "E5 \u2028"
            tail.terminate()


def test_tokens_are_made_listed_rotated_and_revoked(tmp_path: Path) -> None:
    def token(*args: str) -> subprocess.CompletedProcess[str]:
        command = [*SATSUMA, "token", *args, "--data", str(tmp_path)]
        return subprocess.run(command, capture_output=True, text=True, env={**os.environ, "COLUMNS": "200"})

    with running(tmp_path) as collector:

        def status(made: str) -> int:
            return httpx.get(f"{collector.url}/v1/events", headers={"Authorization": f"Bearer {made}"}).status_code

        first = token("create", "a reader", "--scope", "read_events").stdout.strip()
        again = token("create", "a reader", "--scope", "sql")
        assert again.returncode == 1 and "rotate or revoke" in again.stderr
        listed = token("list").stdout
        assert "a reader" in listed and "read_events" in listed and first not in listed
        second = token("rotate", "a reader", "--overlap-hours", "0").stdout.strip()
        assert [status(first), status(second)] == [401, 200]
        assert token("revoke", "a reader").returncode == 0
        assert status(second) == 401
    assert "no folder" in subprocess.run(
        [*SATSUMA, "token", "revoke", "x", "--data", str(tmp_path / "none")], capture_output=True, text=True
    ).stderr.replace("\n", " ")
