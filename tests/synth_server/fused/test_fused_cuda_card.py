"""The engine on a real CUDA card: the golden digests, and what no simulation shows."""

from __future__ import annotations

import json
import threading

import numpy as np
import pytest
import torch

from synth_server import noise
from synth_server.engines import load_engine
from synth_server.patches import PATCHES
from tests import golden
from tests.golden import digests, sounds

pytestmark = [pytest.mark.gpu, pytest.mark.timeout(300)]


@pytest.mark.parametrize("form", golden.FORMATS.values(), ids=golden.FORMATS)
@pytest.mark.parametrize("synth", PATCHES)
def test_a_card_gives_the_bytes_of_the_cpu(synth: str, form: dict[str, object]) -> None:
    card, cpu = (load_engine("fused", synth=synth, device=device, **form) for device in ("cuda", "cpu"))
    theta, keys = sounds(synth, 3_000)
    for dtype in ("float32", "float16"):
        wanted = cpu.render(theta, keys, dtype=dtype)
        assert card.render(theta, keys, dtype=dtype).tobytes() == wanted.tobytes()
    hiss = noise.white(keys[:100] + np.uint64(1), wanted.shape[1]).numpy()
    given = [engine.render(theta[:100], keys[:100], noise=hiss).tobytes() for engine in (card, cpu)]
    assert given[0] == given[1]
    assert card.fingerprint == cpu.fingerprint
    card.close()
    cpu.close()


@pytest.mark.parametrize("synth", PATCHES)
def test_a_card_gives_the_golden_digests(synth: str) -> None:
    assert golden.measure(synth, "cuda") == json.loads(golden.PATH.read_text())["digests"][synth]


def test_the_bytes_of_a_sound_do_not_depend_on_its_company_or_on_other_callers() -> None:
    card = load_engine("fused", device="cuda")
    theta, keys = sounds("voice", 5_000)
    wanted = digests(card.render(theta, keys))
    for rows in (slice(1), slice(7), slice(4_000, 4_133), slice(4_999, 5_000)):
        assert digests(card.render(theta[rows], keys[rows])) == wanted[rows]
    got: list[list[str]] = []
    callers = [threading.Thread(target=lambda: got.append(digests(card.render(theta, keys)))) for _ in range(3)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join(timeout=120)
    assert got == [wanted] * 3
    card.close()


@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_audio_left_on_the_card_is_that_of_the_host_and_shared_with_torch(dtype: str) -> None:
    card = load_engine("fused", device="cuda")
    theta, keys = sounds("voice", 3_000)
    audio = card.render_on_device(theta, keys, dtype=dtype)  # type: ignore[attr-defined]
    shared = torch.as_tensor(audio, device="cuda")
    assert shared.data_ptr() == audio.__cuda_array_interface__["data"][0]
    assert shared.cpu().numpy().tobytes() == card.render(theta, keys, dtype=dtype).tobytes()
    card.close()
