"""Whether a file's answer has the shapes that its signature promises."""

from collections.abc import Mapping
from typing import Any

from builder.spec.tensors import Signature


def shape_problem(signature: Signature, here: Mapping[str, int], answer: Mapping[str, Any]) -> str:
    """Return which output of `answer`, made at the sizes `here`, has another shape; empty if none.

    An axis that is none of `here` may have any size.
    """
    for tensor in signature.outputs:
        got = answer[tensor.name].shape
        if all(axis in here for axis in tensor.axes) and got != tensor.sized(here):
            return f"output {tensor} comes out as {list(got)}, not {list(tensor.sized(here))}"
    return ""
