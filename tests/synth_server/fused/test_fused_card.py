"""Which card a device names, or in one line why there is none."""

from __future__ import annotations

import importlib.util

import pytest

from pairstream.errors import ConfigError
from synth_server.engines import load_engine


def refusal(device: str) -> str:
    with pytest.raises(ConfigError) as caught:
        load_engine("fused", device=device)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("device", ["tpu", "cuda:", "cuda:x", "cuda:-1", "cuda:12345", "CPU"])
def test_a_name_that_means_nothing_is_refused(device: str) -> None:
    assert refusal(device) == f"device={device!r} is not a device of this engine; use cpu, cuda or cuda:N"


def test_without_numba_cuda_the_remedy_is_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert refusal("cuda") == "device='cuda' needs numba-cuda; pip install 'pairstream[cuda]', or use cpu"


def test_without_a_driver_the_reason_is_the_drivers() -> None:
    pytest.importorskip("numba_cuda", reason="numba-cuda is not installed")
    from numba import cuda

    if cuda.is_available():
        pytest.skip("this machine has a card")
    assert refusal("cuda:1").startswith("device='cuda:1' cannot be used (CUDA driver")


def test_a_cpu_has_no_memory_of_its_own() -> None:
    engine = load_engine("fused", threads=1)
    with pytest.raises(ConfigError, match="device='cpu' has no memory of its own; use render, or device cuda"):
        engine.render_on_device(None, None)  # type: ignore[attr-defined]
    engine.close()
