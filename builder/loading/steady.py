"""A model that answers alike every time it is asked, which is what a server's answers can be compared with."""

from typing import Any

import numpy as np

from builder.errors import SourceError
from builder.loading.opened import Opened
from builder.loading.weights import weights_sha256
from builder.spec.loaded import Feed


def state_sha256(module: Any) -> str:
    """Return the hash of a module's parameters and buffers; empty where there is no module."""
    return weights_sha256(module.state_dict()) if hasattr(module, "state_dict") else ""


def require_steady(opened: Opened, before: str, feed: Feed, answer: Feed) -> None:
    """Check that running the source has changed nothing in it, and that it gives `answer` to `feed` again.

    Args:
        opened: the source.
        before: `state_sha256` of its module before it was first run.
        feed: inputs that it was run on.
        answer: what it answered then.

    Raises:
        SourceError: it keeps state from call to call, or draws random numbers.
    """
    if state_sha256(opened.original) != before:
        raise SourceError(
            "`forward` changes a buffer or parameter of the module: its answers depend on what was asked before",
            fix="pass the state in as an input and out as an output; a served model keeps none",
        )
    again = opened.reference(feed)
    for name, first in answer.items():
        if not np.array_equal(first, again[name], equal_nan=first.dtype.kind in "fc"):
            raise SourceError(
                f"output `{name}` differs when the same inputs are given twice: the model draws random numbers, "
                "or keeps state",
                fix="keep nothing from call to call, and take random numbers as an input"
                if opened.kind == "python"
                else "switch dropout off in eval mode (self.training), and take random numbers as an input",
            )
