"""What all tests share: hypothesis judges answers, not the time that a busy machine takes for them."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

settings.register_profile("satsuma", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("satsuma")
