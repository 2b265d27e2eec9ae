"""Matrix products of frozen linear layers, by the library that is fast at them on this CPU.

On x86 torch leaves products in float32 to MKL, which uses AVX-512 on Intel's CPUs alone: on others
it computes at half of what they can, and less. oneDNN, which torch brings as well, asks what the
CPU can do and not who made it. One thread of an AMD EPYC (Zen 5): 245 GFLOP/s against 108. Both
compute in float32; results differ by rounding.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any, cast

import torch
from torch import nn

_CPU_INFO = Path("/proc/cpuinfo")


@cache
def blas_is_slow() -> bool:
    """Whether torch's own products in float32 are known to fall short of what this CPU can do.

    That is a fact of the machine, not a measurement: one that came out this way today and the other
    tomorrow would change latents by rounding from one run to the next. Where it cannot be told who
    made the CPU (outside Linux), the answer is no.
    """
    able = (
        torch.backends.mkl.is_available()  # type: ignore[no-untyped-call]
        and torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
        and torch.backends.cpu.get_cpu_capability() == "AVX512"
    )
    return able and _CPU_INFO.is_file() and "GenuineIntel" not in _CPU_INFO.read_text()


def quicken(model: nn.Module) -> None:
    """Have the linear layers of a model compute with oneDNN, in place.

    Layers keep their names, their parameters and their kind (they are ``nn.Linear`` still), so that
    adapters can be put into them. Where parameters are trained, on another device or in another
    dtype they compute as before.
    """
    for module in model.modules():
        if type(module) is nn.Linear:
            module.__class__ = FrozenLinear


class FrozenLinear(nn.Linear):
    """A linear layer whose parameters do not change; gradients reach its input alone."""

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        """From [..., in] to [..., out]."""
        frozen = not (
            torch.is_grad_enabled()
            and any(parameter.requires_grad for parameter in self.parameters())
        )
        if frozen and input.device.type == "cpu" and input.dtype == torch.float32:
            result = _Product.apply(input, self.weight, self.bias)  # type: ignore[no-untyped-call]
            return cast(torch.Tensor, result)
        return super().forward(input)


class _Product(torch.autograd.Function):
    """x Wᵀ + b, and the gradient of x."""

    @staticmethod
    def forward(
        ctx: Any, x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None
    ) -> torch.Tensor:
        ctx.save_for_backward(weight)
        return product(x, weight, bias)

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> Any:
        (weight,) = ctx.saved_tensors
        return product(gradients[0].contiguous(), weight.t().contiguous()), None, None


def product(
    x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None = None
) -> torch.Tensor:
    """Compute x Wᵀ + b by oneDNN, without gradients.

    Args:
        x: float32 [..., in], on the CPU.
        weight: W, float32 [out, in].
        bias: b, float32 [out].

    Returns:
        float32 [..., out].
    """
    result: torch.Tensor = torch.ops.mkldnn._linear_pointwise(x, weight, bias, "none", [], "")
    return result
