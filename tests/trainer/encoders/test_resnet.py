"""ResNet-18 against a table written by hand and a forward pass written with functions."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from trainer.encoders.resnet import ResNet18

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


def expected_shapes() -> dict[str, tuple[int, ...]]:
    shapes: dict[str, tuple[int, ...]] = {"conv1.bias": (64,), "fc.weight": (512, 512), "fc.bias": (512,)}
    for name, shape in CONVOLUTIONS.items():
        shapes[f"{name}.weight"] = shape
        norm = batch_norm_of(name)
        shapes |= {f"{norm}.{part}": (shape[0],) for part in ("weight", "bias", "running_mean", "running_var")}
        shapes[f"{norm}.num_batches_tracked"] = ()
    return shapes


def functional_features(x: Tensor, state: dict[str, Tensor]) -> Tensor:
    """The pooled layer in eval mode, from the weights alone."""

    def conv_bn(y: Tensor, name: str, stride: int = 1, padding: int = 1) -> Tensor:
        y = F.conv2d(y, state[f"{name}.weight"], state.get(f"{name}.bias"), stride=stride, padding=padding)
        mean, var, weight, bias = (
            state[f"{batch_norm_of(name)}.{part}"][None, :, None, None]
            for part in ("running_mean", "running_var", "weight", "bias")
        )
        return (y - mean) / torch.sqrt(var + 1e-5) * weight + bias

    x = F.max_pool2d(F.relu(conv_bn(x, "conv1", stride=2, padding=3)), 3, stride=2, padding=1)
    for layer in (1, 2, 3, 4):
        for block in (0, 1):
            stride = 2 if layer > 1 and block == 0 else 1
            name = f"layer{layer}.{block}"
            shortcut = conv_bn(x, f"{name}.downsample.0", stride, 0) if stride == 2 else x
            inner = F.relu(conv_bn(x, f"{name}.conv1", stride))
            x = F.relu(conv_bn(inner, f"{name}.conv2") + shortcut)
    return x.mean(dim=(2, 3))


def lived_in(encoder: ResNet18) -> ResNet18:
    """With batch statistics that are not those of a new network."""
    encoder.train()
    with torch.no_grad():
        for step in range(3):
            encoder(torch.randn(4, 1, 96, 64, generator=torch.Generator().manual_seed(step)))
    return encoder.eval()


def test_names_and_shapes_are_torchvisions() -> None:
    shapes = {name: tuple(value.shape) for name, value in ResNet18().state_dict().items()}
    assert shapes == expected_shapes()


def test_it_has_the_papers_number_of_parameters() -> None:
    assert sum(parameter.numel() for parameter in ResNet18().parameters()) == 11_432_960


@pytest.mark.parametrize("width", [4, 64])
def test_it_computes_what_the_functions_do(width: int) -> None:
    encoder = lived_in(ResNet18(width))
    x = torch.randn(2, 1, 96, 64, generator=torch.Generator().manual_seed(9))
    with torch.no_grad():
        expected = functional_features(x, encoder.state_dict())
        torch.testing.assert_close(encoder.features(x), expected, rtol=1e-4, atol=1e-4)
        final = expected @ encoder.fc.weight.T + encoder.fc.bias
        torch.testing.assert_close(encoder(x), final, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("width", [2, 16])
def test_a_narrower_one_still_gives_512_numbers(width: int) -> None:
    encoder = ResNet18(width).eval()
    x = torch.zeros(1, 1, 96, 64)
    assert encoder.features(x).shape == (1, 8 * width)
    assert encoder(x).shape == (1, 512)
