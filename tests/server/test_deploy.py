"""What containers and systemd are given holds by their own rules: linters, schemas, and our own settings."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from nats_servers import command
from satsuma_server.settings import make_settings

DEPLOY = Path(__file__).resolve().parents[2] / "server" / "deploy"
SCRIPTS = Path(sys.executable).parent


def passes(*command: str | Path) -> None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_dockerfile_has_no_fault() -> None:
    passes(SCRIPTS / "hadolint", DEPLOY / "Dockerfile")


def test_compose_is_as_its_schema_says() -> None:
    passes(SCRIPTS / "check-jsonschema", "--builtin-schema", "vendor.compose-spec", DEPLOY / "compose.yaml")


def test_what_is_for_several_machines_is_as_its_schemas_say() -> None:
    scale = DEPLOY / "scale"
    passes(SCRIPTS / "check-jsonschema", "--builtin-schema", "vendor.compose-spec", scale / "compose.yaml")
    passes(SCRIPTS / "kubernetes-validate", "--strict", scale / "kubernetes.yaml")
    passes("env", "NATS_PASSWORD=of-a-test", command(), "--config", scale / "nats.conf", "-t")
    given = {"log": "nats://nats-1:4222", "token": "a-token-of-a-test-83c1f0de72-b95e"}
    settings = make_settings(scale / "satsuma.toml", given)
    assert (settings.worker, settings.nats.replicas) == (True, 3)


def test_the_settings_of_the_compose_file_are_read() -> None:
    settings = make_settings(DEPLOY / "satsuma.toml")
    assert [source.write_key for source in settings.sources] == ["my-site"]
    assert settings.profiles.store == "postgresql://satsuma@postgres/satsuma"


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
def test_the_unit_is_understood_by_systemd(tmp_path: Path) -> None:
    # The command and the user's secrets are not on this machine, and need not be.
    text = (DEPLOY / "satsuma.service").read_text().replace("/opt/satsuma/bin/satsuma", sys.executable)
    unit = tmp_path / "satsuma.service"
    unit.write_text(text)
    done = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True, timeout=60)
    faults = [line for line in done.stderr.splitlines() if unit.name in line]
    assert faults == []
