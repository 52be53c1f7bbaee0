"""Out of memory, in whatever words, ends in one line; what only looks like it does not."""

from __future__ import annotations

import pytest
import torch
from tiny_training import but

from pairstream.errors import MemoryLimitError
from trainer import cli
from trainer.config import FitSettings
from trainer.fit import fit
from trainer.memory import enough_memory
from trainer.model import AudioModel
from trainer.run_folder import RunFolder

pytestmark = pytest.mark.filterwarnings("ignore:.*LeafSpec:FutureWarning")


def too_much_on_the_cpu() -> None:
    torch.empty(1 << 60, dtype=torch.uint8)


def too_much_on_the_card() -> None:
    raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB.\nmore lines")


def too_much_for_python() -> None:
    raise MemoryError


@pytest.mark.parametrize("exhaust", [too_much_on_the_cpu, too_much_on_the_card, too_much_for_python])
def test_out_of_memory_says_while_doing_what_and_what_helps(exhaust) -> None:
    said = r"out of memory while counting \(.+\); count less"
    with pytest.raises(MemoryLimitError, match=said) as caught, enough_memory("counting", "count less"):
        exhaust()
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 9


def test_other_errors_are_not_taken_for_it() -> None:
    with pytest.raises(RuntimeError, match="shapes") as caught, enough_memory("counting", "count less"):
        raise RuntimeError("shapes cannot be multiplied")
    assert not isinstance(caught.value, MemoryLimitError)


def exhausting(*_: object) -> torch.Tensor:
    raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB.")


def test_a_step_that_does_not_fit_is_said(tiny: FitSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(AudioModel, "pictures", exhausting)
    with pytest.raises(MemoryLimitError, match=r"steps of 64 pairs \(CUDA out of memory.*--batch_pairs"):
        fit(but(tiny, batch_pairs=64))


def test_exporting_says_it_too(
    tiny: FitSettings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fit(but(tiny, max_steps=2))
    monkeypatch.setattr(AudioModel, "features", exhausting)
    capsys.readouterr()
    assert cli.main(["export", "--checkpoint", str(tiny.run), "--to", str(tiny.run.with_name("out"))]) == 9
    assert "out of memory while exporting" in capsys.readouterr().err
    assert not tiny.run.with_name("out").exists()
    assert RunFolder(tiny.run).newest_checkpoint() is not None
