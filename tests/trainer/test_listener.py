"""The encoder of a run as the page hears with it."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from pairstream import StreamSpec
from pairstream.errors import CheckpointError, ConfigError
from pairstream.listener import installed_listener
from trainer.checkpoints import load_model, newest_checkpoint
from trainer.config import FitSettings
from trainer.fit import fit

RNG = np.random.Generator(np.random.Philox(key=[5, 6]))


@pytest.mark.slow
def test_a_run_s_newest_model_is_what_is_heard_with(tiny: FitSettings):
    fit(tiny)
    listener = installed_listener()(tiny.run)
    audio = RNG.uniform(-1, 1, (2, 16_000)).astype(np.float32)
    embeddings = listener.embed(audio, 16_000)
    model, plan = load_model(tiny.run)
    with torch.inference_mode():
        assert np.array_equal(embeddings, model(torch.from_numpy(audio)).numpy())
    assert listener.spec == plan.spec == StreamSpec(block_pairs=4, delta=0.1)
    newest = newest_checkpoint(tiny.run)
    assert listener.name == str(newest)
    later = newest.with_name("step-00000100.ckpt")
    shutil.copy(newest, later)
    assert listener.name == str(later)
    assert np.array_equal(listener.embed(audio, 16_000), embeddings)
    with pytest.raises(ConfigError, match="sample_rate=22050 is not what"):
        listener.embed(audio, 22_050)
    with pytest.raises(ConfigError, match="samples"):
        listener.embed(audio[:, :1_000], 16_000)


def test_no_run_is_an_error_that_says_so(tmp_path: Path):
    with pytest.raises(CheckpointError, match="train first"):
        installed_listener()(tmp_path)
