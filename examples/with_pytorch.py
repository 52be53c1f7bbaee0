"""The stream in a training loop of one's own, in plain PyTorch: nothing of our trainer, checkpoint and resume included.

python -m examples.with_pytorch [STEPS [CHECKPOINT [URL]]]

Run it again with more steps, and it goes on with the very next block.
"""

from __future__ import annotations

import sys
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

from pairstream import StreamSpec
from pairstream.torch import PairStream

SPEC = StreamSpec(synth="voice", delta=0.1, block_pairs=32)


def encoder() -> nn.Sequential:
    """Audio (B, T) -> embeddings (B, 64): a small network on the waveform itself."""
    layers: list[nn.Module] = [nn.Unflatten(1, (1, -1)), nn.Conv1d(1, 32, 400, stride=160), nn.ReLU()]
    for channels in (32, 64):
        layers += [nn.Conv1d(channels, 64, 5, stride=2), nn.BatchNorm1d(64), nn.ReLU()]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool1d(1), nn.Flatten())


def which_is_whose(a: Tensor, b: Tensor) -> Tensor:
    """InfoNCE: of all views b, each view a (B, D) should find its own."""
    logits = nn.functional.normalize(a) @ nn.functional.normalize(b).T / 0.1
    return nn.functional.cross_entropy(logits, torch.arange(len(a), device=a.device))


def main(steps: int = 20, file: Path = Path("runs/plain.pt"), url: str = "local://") -> None:
    """Train up to `steps` steps, from the checkpoint on if there is one."""
    torch.manual_seed(0)
    model = encoder()
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-3)
    stream, done = PairStream(url, SPEC, experiment="plain"), 0
    if file.exists():
        kept = torch.load(file, weights_only=True)
        model.load_state_dict(kept["model"])
        optimiser.load_state_dict(kept["optimiser"])
        stream.load_state_dict(kept["stream"])
        done = kept["step"]
    for step, batch in zip(range(done + 1, steps + 1), DataLoader(stream, batch_size=None), strict=False):
        optimiser.zero_grad()
        loss = which_is_whose(model(batch.a), model(batch.b))
        loss.backward()
        optimiser.step()
        print(f"step {step}, block {batch.index}: loss {loss.item():.3f}")
        state = {"model": model.state_dict(), "optimiser": optimiser.state_dict(), "step": step}
        file.parent.mkdir(parents=True, exist_ok=True)
        torch.save(state | {"stream": stream.state_after(batch)}, file)


if __name__ == "__main__":
    given = sys.argv[1:]
    main(*(convert(word) for convert, word in zip((int, Path, str), given, strict=False)))
