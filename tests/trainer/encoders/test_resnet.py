"""ResNets against tables written by hand and forward passes written with functions."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import pytest
import torch
from tiny_training import TINY_RECIPE
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from trainer.encoders.build import seeded_encoder
from trainer.encoders.encoder import Encoder
from trainer.encoders.resnet import ResNet, resnet18, resnet50
from trainer.recipe import EncoderName

#: torchvision's names and shapes, with one input channel, a bias in conv1 and 512 outputs.
CONVOLUTIONS = {
    "conv1": (64, 1, 7, 7),
    "layer1.0.conv1": (64, 64, 3, 3),
    "layer1.0.conv2": (64, 64, 3, 3),
    "layer1.1.conv1": (64, 64, 3, 3),
    "layer1.1.conv2": (64, 64, 3, 3),
    "layer2.0.conv1": (128, 64, 3, 3),
    "layer2.0.conv2": (128, 128, 3, 3),
    "layer2.0.downsample.0": (128, 64, 1, 1),
    "layer2.1.conv1": (128, 128, 3, 3),
    "layer2.1.conv2": (128, 128, 3, 3),
    "layer3.0.conv1": (256, 128, 3, 3),
    "layer3.0.conv2": (256, 256, 3, 3),
    "layer3.0.downsample.0": (256, 128, 1, 1),
    "layer3.1.conv1": (256, 256, 3, 3),
    "layer3.1.conv2": (256, 256, 3, 3),
    "layer4.0.conv1": (512, 256, 3, 3),
    "layer4.0.conv2": (512, 512, 3, 3),
    "layer4.0.downsample.0": (512, 256, 1, 1),
    "layer4.1.conv1": (512, 512, 3, 3),
    "layer4.1.conv2": (512, 512, 3, 3),
}


def batch_norm_of(convolution: str) -> str:
    return convolution.replace("downsample.0", "downsample.1").replace("conv", "bn")


def bottleneck_convolutions() -> dict[str, tuple[int, ...]]:
    """ResNet-50's table, by the rule in He et al.'s Table 1."""
    shapes: dict[str, tuple[int, ...]] = {"conv1": (64, 1, 7, 7)}
    before = 64
    for layer, (blocks, channels) in enumerate(((3, 64), (4, 128), (6, 256), (3, 512)), start=1):
        for block in range(blocks):
            name = f"layer{layer}.{block}"
            shapes[f"{name}.conv1"] = (channels, before, 1, 1)
            shapes[f"{name}.conv2"] = (channels, channels, 3, 3)
            shapes[f"{name}.conv3"] = (4 * channels, channels, 1, 1)
            if block == 0:
                shapes[f"{name}.downsample.0"] = (4 * channels, before, 1, 1)
            before = 4 * channels
    return shapes


def expected_shapes(convolutions: dict[str, tuple[int, ...]], pooled: int) -> dict[str, tuple[int, ...]]:
    shapes: dict[str, tuple[int, ...]] = {"conv1.bias": (64,), "fc.weight": (512, pooled), "fc.bias": (512,)}
    for name, shape in convolutions.items():
        shapes[f"{name}.weight"] = shape
        norm = batch_norm_of(name)
        shapes |= {f"{norm}.{part}": (shape[0],) for part in ("weight", "bias", "running_mean", "running_var")}
        shapes[f"{norm}.num_batches_tracked"] = ()
    return shapes


def functional_features(x: Tensor, state: dict[str, Tensor]) -> Tensor:
    """The pooled layer in eval mode, from the weights alone."""

    def conv_bn(y: Tensor, name: str, stride: int = 1) -> Tensor:
        weight = state[f"{name}.weight"]
        y = F.conv2d(y, weight, state.get(f"{name}.bias"), stride=stride, padding=weight.shape[2] // 2)
        mean, var, scale, shift = (
            state[f"{batch_norm_of(name)}.{part}"][None, :, None, None]
            for part in ("running_mean", "running_var", "weight", "bias")
        )
        return (y - mean) / torch.sqrt(var + 1e-5) * scale + shift

    x = F.max_pool2d(F.relu(conv_bn(x, "conv1", stride=2)), 3, stride=2, padding=1)
    blocks = sorted({name.rsplit(".", 2)[0] for name in state if name.startswith("layer") and "downsample" not in name})
    for name in blocks:
        stride = 2 if name in ("layer2.0", "layer3.0", "layer4.0") else 1
        shortcut = conv_bn(x, f"{name}.downsample.0", stride) if f"{name}.downsample.0.weight" in state else x
        if f"{name}.conv3.weight" in state:
            inner = F.relu(conv_bn(F.relu(conv_bn(x, f"{name}.conv1")), f"{name}.conv2", stride))
            x = F.relu(conv_bn(inner, f"{name}.conv3") + shortcut)
        else:
            x = F.relu(conv_bn(F.relu(conv_bn(x, f"{name}.conv1", stride)), f"{name}.conv2") + shortcut)
    return x.mean(dim=(2, 3))


def lived_in(encoder: Encoder) -> Encoder:
    """With batch statistics that are not those of a new network."""
    encoder.train()
    with torch.no_grad():
        for step in range(3):
            encoder(torch.randn(4, 1, 96, 64, generator=torch.Generator().manual_seed(step)))
    return encoder.eval()


@pytest.mark.parametrize(
    ("made", "convolutions", "pooled"),
    [
        pytest.param(resnet18, CONVOLUTIONS, 512, id="18"),
        pytest.param(resnet50, bottleneck_convolutions(), 2048, id="50"),
    ],
)
def test_names_and_shapes_are_torchvisions(
    made: Callable[[], ResNet], convolutions: dict[str, tuple[int, ...]], pooled: int
) -> None:
    with torch.device("meta"):
        shapes = {name: tuple(value.shape) for name, value in made().state_dict().items()}
    assert shapes == expected_shapes(convolutions, pooled)


@pytest.mark.parametrize(
    ("made", "torchvision", "pooled"),
    [pytest.param(resnet18, 11_689_512, 512, id="18"), pytest.param(resnet50, 25_557_032, 2048, id="50")],
)
def test_the_number_of_parameters_is_torchvisions_but_for_the_ends(
    made: Callable[[], ResNet], torchvision: int, pooled: int
) -> None:
    colours, bias, classes, embedding = 2 * 64 * 7 * 7, 64, 1_000 * (pooled + 1), 512 * (pooled + 1)
    with torch.device("meta"):
        count = sum(parameter.numel() for parameter in made().parameters())
    assert count == torchvision - colours + bias - classes + embedding
    assert pooled != 512 or count == 11_432_960, "the paper's"


@pytest.mark.parametrize(("name", "width"), [("resnet18", 4), ("resnet18", 64), ("resnet50", 4)])
def test_it_computes_what_the_functions_do(name: EncoderName, width: int) -> None:
    encoder = lived_in(seeded_encoder(dataclasses.replace(TINY_RECIPE, encoder=name, width=width), 0))
    x = torch.randn(2, 1, 96, 64, generator=torch.Generator().manual_seed(9))
    with torch.no_grad():
        expected = functional_features(x, encoder.state_dict())
        torch.testing.assert_close(encoder.features(x), expected, rtol=1e-3, atol=1e-3)
        final = expected @ encoder.fc.weight.T + encoder.fc.bias
        torch.testing.assert_close(encoder(x), final, rtol=1e-3, atol=1e-3)
