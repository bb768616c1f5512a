"""Which tolerance an output is held to."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Final

from builder.spec.dtypes import DType
from builder.spec.project import Model, Tolerance
from builder.spec.tensors import Signature

_EXACT: Final = Tolerance(rtol=0.0, atol=0.0)
_BY_DTYPE: Final[Mapping[DType, Tolerance]] = {
    DType.FP16: Tolerance(rtol=1e-2, atol=1e-3),
    DType.BF16: Tolerance(rtol=5e-2, atol=1e-2),
    DType.FP32: Tolerance(rtol=1e-3, atol=1e-5),
    DType.FP64: Tolerance(rtol=1e-6, atol=1e-9),
}


def tolerances(model: Model, signature: Signature) -> Mapping[str, Tolerance]:
    """Return the tolerance of every output, nothing left open in rtol and atol.

    What an output's own `parity` says wins over the model's, and that over the default of its dtype. The
    model's tolerance is meant for floats: whole numbers, bools and strings are loosened only by an entry of
    their own, since an rtol of 1e-3 would take class 1001 for class 1000.
    """
    return {output.name: _of(output.name, output.dtype, model) for output in signature.outputs}


def _of(name: str, dtype: DType, model: Model) -> Tolerance:
    own = model.outputs[name].parity if name in model.outputs else None
    shared = model.parity if dtype.is_float else None
    return merged(own, shared, default(dtype))


def default(dtype: DType) -> Tolerance:
    """Return the tolerance for outputs of `dtype` that nobody said anything about."""
    return _BY_DTYPE.get(dtype, _EXACT)


def merged(*wishes: Tolerance | None) -> Tolerance:
    """Return the tolerance that takes each of its fields from the first of `wishes` that has it."""
    given = [wish for wish in wishes if wish is not None]
    return Tolerance(
        **{
            field.name: next(
                (value for wish in given if (value := getattr(wish, field.name)) is not None),
                None,
            )
            for field in fields(Tolerance)
        }
    )
