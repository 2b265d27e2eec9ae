"""Matrix products of frozen linear layers, by the library that is fast at them on this CPU.

On x86 torch leaves products in float32 to MKL, which uses AVX-512 on Intel's CPUs alone: on others
it computes at half of what they can, and less. oneDNN, which torch brings as well, asks what the
CPU can do and not who made it. One thread of an AMD EPYC (Zen 5): 245 GFLOP/s against 108. Both
compute in float32; results differ by rounding.

In bfloat16 torch leaves products to oneDNN, which brings the weights into an order of its own each
time. Weights that do not change can be kept in that order: 8% of a forward pass of MiniLM there.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any, cast

import torch
from torch import nn

_CPU_INFO = Path("/proc/cpuinfo")

_PACKED_BYTES = 512 * 1024 * 1024
"""Weights that are kept a second time, at most."""

_PACKED_FOR = 2048
"""Rows of a product that oneDNN chooses the order of weights for: those of a batch of texts."""


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

    Weights in bfloat16 on the CPU are kept a second time, in the order in which oneDNN reads them,
    where all of them take no more than 512 MiB. They must not change any more; those of a copy of
    the model may, as it has no packed weights.
    """
    layers = [module for module in model.modules() if type(module) is nn.Linear]
    for layer in layers:
        layer.__class__ = FrozenLinear
    packed = [layer for layer in layers if _on_cpu(layer.weight, torch.bfloat16)]
    if sum(layer.weight.nbytes for layer in packed) <= _PACKED_BYTES:
        for layer in packed:
            cast(FrozenLinear, layer).pack()


def _on_cpu(tensor: torch.Tensor, dtype: torch.dtype) -> bool:
    return tensor.device.type == "cpu" and tensor.dtype == dtype


class FrozenLinear(nn.Linear):
    """A linear layer whose parameters do not change; gradients reach its input alone."""

    _packed: torch.Tensor | None = None

    def pack(self) -> None:
        """Keep the weight, bfloat16 on the CPU, in oneDNN's order as well."""
        weight = self.weight.detach()
        self._packed = torch.ops.mkldnn._reorder_linear_weight(weight, _PACKED_FOR)

    def __getstate__(self) -> dict[str, Any]:
        """What a copy has: all but the packed weight, as the copy's weight may change."""
        return {name: value for name, value in self.__dict__.items() if name != "_packed"}

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        """From [..., in] to [..., out]."""
        if _on_cpu(input, torch.float32) and self._is_frozen():
            result = _Product.apply(input, self.weight, self.bias)  # type: ignore[no-untyped-call]
            return cast(torch.Tensor, result)
        packed = self._packed
        if packed is not None and _on_cpu(input, torch.bfloat16) and not torch.is_grad_enabled():
            return product(input, packed, self.bias)
        return super().forward(input)

    def _is_frozen(self) -> bool:
        return not (
            torch.is_grad_enabled()
            and any(parameter.requires_grad for parameter in self.parameters())
        )


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
        x: [..., in], on the CPU, float32 or bfloat16.
        weight: W, [out, in] in the dtype of x.
        bias: b, [out] in the dtype of x.

    Returns:
        [..., out] in the dtype of x.
    """
    result: torch.Tensor = torch.ops.mkldnn._linear_pointwise(x, weight, bias, "none", [], "")
    return result
