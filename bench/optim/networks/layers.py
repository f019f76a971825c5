"""Layers whose weights never change: what a frozen network can do faster than one that might learn."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812 - the name every torch program uses
from torch import nn


class _FrozenPReLU(torch.autograd.Function):
    """PReLU whose slope has no gradient.

    torch computes the gradient of the slope even where nobody wants it, and does so slowly: on a CPU half
    of the time of a MobileFaceNet's backward pass. With t = g where x > 0 and 0 elsewhere, the gradient
    towards x is t + slope (g - t), two passes over memory.
    """

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, slope: torch.Tensor) -> torch.Tensor:
        ctx.save_for_backward(x, slope)
        return F.prelu(x, slope.flatten())

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> tuple[torch.Tensor, None]:
        x, slope = ctx.saved_tensors
        positive = torch.ops.aten.threshold_backward(grads[0], x, 0)
        return positive.lerp_(grads[0], slope), None


_prelu: Any = _FrozenPReLU.apply  # torch leaves `apply` without types


class FrozenPReLU(nn.Module):
    """max(x, 0) + slope min(x, 0), with one slope a channel or one for all.

    Args:
        slope: [channels] or [1].
    """

    slope: torch.Tensor

    def __init__(self, slope: torch.Tensor) -> None:
        super().__init__()
        self.register_buffer("slope", slope.detach().reshape(1, -1, 1, 1).clone())

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """[n, channels, ...] -> the same shape."""
        slope = self.slope if x.ndim == 4 else self.slope.view(1, -1, *([1] * (x.ndim - 2)))
        out: torch.Tensor = _prelu(x, slope)
        return out


class _StridedDepthwise(torch.autograd.Function):
    """A strided depthwise convolution; its input gradient is a depthwise convolution of stride one.

    The gradient towards the input of a convolution is the convolution of the incoming gradient, spread out
    with zeros between its elements, with the flipped kernel. oneDNN has no fast bfloat16 kernel for
    the strided form (measured: 20 ms against 0.5 ms for 8 x 128 x 56 x 56).
    """

    @staticmethod
    def forward(
        ctx: Any, x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None, stride: int, padding: int
    ) -> torch.Tensor:
        ctx.save_for_backward(weight)
        ctx.stride, ctx.padding, ctx.height, ctx.width = stride, padding, x.shape[2], x.shape[3]
        return F.conv2d(x, weight, bias, stride, padding, groups=x.shape[1])

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> tuple[torch.Tensor, None, None, None, None]:
        (weight,) = ctx.saved_tensors
        n, channels = grads[0].shape[:2]
        kernel, reach = weight.shape[-1], 2 * ctx.padding + 1 - weight.shape[-1]
        spread = torch.empty(
            (n, channels, ctx.height + reach, ctx.width + reach),
            dtype=weight.dtype,
            device=weight.device,
            memory_format=torch.channels_last,
        ).zero_()
        spread[:, :, :: ctx.stride, :: ctx.stride] = grads[0]
        back = kernel - 1 - ctx.padding
        return F.conv2d(spread, weight.flip(2, 3), None, 1, back, groups=channels), None, None, None, None


_depthwise: Any = _StridedDepthwise.apply


class StridedDepthwise(nn.Module):
    """A depthwise convolution with a stride, square kernel and padding below the kernel's size."""

    weight: torch.Tensor
    bias: torch.Tensor | None

    def __init__(self, layer: nn.Conv2d) -> None:
        super().__init__()
        self.register_buffer("weight", layer.weight.detach().clone())
        self.register_buffer("bias", None if layer.bias is None else layer.bias.detach().clone())
        self.stride, self.padding = int(layer.stride[0]), int(layer.padding[0])

    @staticmethod
    def fits(layer: nn.Module) -> bool:
        """Whether a layer is of this form."""
        return (
            isinstance(layer, nn.Conv2d)
            and layer.groups == layer.in_channels == layer.out_channels > 1
            and layer.stride[0] == layer.stride[1] > 1
            and layer.kernel_size[0] == layer.kernel_size[1]
            and layer.dilation == (1, 1)
            and layer.padding in [(p, p) for p in range(layer.kernel_size[0])]
            and layer.padding_mode == "zeros"
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """[n, channels, height, width] -> the strided output."""
        out: torch.Tensor = _depthwise(x, self.weight, self.bias, self.stride, self.padding)
        return out


class Affine(nn.Module):
    """x * scale + shift, one pair a channel or one for all: a batch norm in inference, a normalisation.

    Args:
        scale: [channels] or [1].
        shift: [channels] or [1].
    """

    scale: torch.Tensor
    shift: torch.Tensor

    def __init__(self, scale: torch.Tensor, shift: torch.Tensor) -> None:
        super().__init__()
        self.register_buffer("scale", scale.detach().flatten().clone())
        self.register_buffer("shift", shift.detach().flatten().clone())

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """[n, channels, ...] -> the same shape."""
        ones = [1] * (x.ndim - 2)
        return torch.addcmul(self.shift.view(1, -1, *ones), x, self.scale.view(1, -1, *ones))
