"""The image networks in plain PyTorch, layer for layer those of `networks`, channels last. See `rounds`.

A convolution with strides pads a pixel on every side, as PyTorch's do, where Keras pads right and below: the
same arithmetic on shifted pixels.
"""

from __future__ import annotations

import os

import torch
from rounds import Job, Prepared, take_part
from torch import Tensor, nn
from torch.nn import functional


class _ConvNorm(nn.Sequential):
    def __init__(self, channels: int, filters: int, strides: int = 1, size: int = 3, groups: int = 1) -> None:
        conv = nn.Conv2d(channels, filters, size, strides, size // 2, groups=groups, bias=False)
        super().__init__(conv, nn.BatchNorm2d(filters, eps=1e-3, momentum=0.01))


class _Residual(nn.Module):
    def __init__(self, channels: int, filters: int, strides: int) -> None:
        super().__init__()
        self.first, self.second = _ConvNorm(channels, filters, strides), _ConvNorm(filters, filters)
        self.strides, self.new = strides, filters - channels

    def forward(self, x: Tensor) -> Tensor:
        y = self.second(functional.relu(self.first(x)))
        if self.strides > 1:
            x = functional.pad(x[:, :, :: self.strides, :: self.strides], (0, 0, 0, 0, 0, self.new))
        return functional.relu(x + y)


class _Inverted(nn.Module):
    def __init__(self, channels: int, filters: int, strides: int, expansion: int) -> None:
        super().__init__()
        wide = channels * expansion
        wider = [_ConvNorm(channels, wide, size=1), nn.ReLU6()] if expansion > 1 else []
        depthwise = [_ConvNorm(wide, wide, strides, groups=wide), nn.ReLU6()]
        self.inner = nn.Sequential(*wider, *depthwise, _ConvNorm(wide, filters, size=1))
        self.shortcut = strides == 1 and channels == filters

    def forward(self, x: Tensor) -> Tensor:
        y = self.inner(x)
        return x + y if self.shortcut else y


def _pooled(*parts: nn.Module, channels: int) -> nn.Module:
    return nn.Sequential(*parts, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, 10))


def resnet20() -> nn.Module:
    """As `networks.resnet20`."""
    parts, channels = [_ConvNorm(3, 16), nn.ReLU()], 16
    for filters, strides in ((16, 1), (32, 2), (64, 2)):
        for number in range(3):
            parts.append(_Residual(channels, filters, 1 if number else strides))
            channels = filters
    return _pooled(*parts, channels=channels)


def mobilenet_stack() -> nn.Module:
    """As `networks.mobilenet_stack`."""
    parts, channels = [_ConvNorm(3, 32, 2), nn.ReLU6(), _Inverted(32, 16, 1, 1)], 16
    for filters, strides, blocks in ((24, 1, 2), (32, 2, 3), (64, 2, 1)):
        for number in range(blocks):
            parts.append(_Inverted(channels, filters, 1 if number else strides, 6))
            channels = filters
    return _pooled(*parts, channels=channels)


def conv_pool() -> nn.Module:
    """As `networks.conv_pool`."""
    first = [nn.Conv2d(1, 32, 3), nn.ReLU(), nn.MaxPool2d(2)]
    second = [nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2)]
    return nn.Sequential(*first, *second, nn.Flatten(), nn.Linear(1600, 10))


NETWORKS = {
    "resnet20": (resnet20, (3, 32, 32)),
    "mobilenet_stack": (mobilenet_stack, (3, 32, 32)),
    "conv_pool": (conv_pool, (1, 28, 28)),
}


def epochs(job: Job) -> Prepared:
    """`epochs` epochs per round over rows that lie in memory, in a new order each."""
    torch.set_num_threads(len(os.sched_getaffinity(0)))
    torch.manual_seed(0)
    build, shape = NETWORKS[job["network"]]
    model = build().to(memory_format=torch.channels_last)
    inputs = torch.randn(job["rows"], *shape).contiguous(memory_format=torch.channels_last)
    classes = inputs.permute(0, 2, 3, 1).reshape(job["rows"], -1)[:, :10].argmax(1)
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-3, momentum=0.9)

    def go() -> None:
        for _ in range(job["epochs"]):
            for batch in torch.randperm(job["rows"]).split(job["batch"]):
                optimizer.zero_grad(set_to_none=True)
                functional.cross_entropy(model(inputs[batch]), classes[batch]).backward()
                optimizer.step()

    go()
    weights = sum(parameter.numel() for parameter in model.parameters())
    return Prepared(go, amount=job["rows"] * job["epochs"], facts={"weights": weights})


if __name__ == "__main__":
    take_part({"epochs": epochs}, ("torch",))
