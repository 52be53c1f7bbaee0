"""Settings for all tests: time is not judged here, since a test machine's is not its own."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

settings.register_profile("pairstream", deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("pairstream")
