"""What stays doubtful about a mask that was found, for the comment in trb.yaml."""

from collections.abc import Mapping
from typing import Final

import torch
from torch import nn

from builder.loading.guess_trial import Found, answers, that_run
from builder.loading.guessed import Candidate

_ENDS: Final = (0, 1)


def remark(module: nn.Module, name: str, found: Found, options: Mapping[str, tuple[Candidate, ...]]) -> str:
    """Return what trials leave open about the argument `name`, in few words; empty for what is no mask."""
    one = found.inputs[name]
    if not one.is_mask:
        return ""
    doubts = [f"its dtype is a guess: {other} ran too" for other in _others(module, name, found, options)]
    if not _matters(module, name, found):
        doubts.append("no value that was tried changes the outputs")
    return "; ".join(doubts)


def _others(
    module: nn.Module, name: str, found: Found, options: Mapping[str, tuple[Candidate, ...]]
) -> tuple[str, ...]:
    """Return the other element types of the mask with which `forward` runs as well, in one text."""
    here = found.inputs[name].dtype
    masks = {one.dtype: one for one in options[name] if one.is_mask and one.dtype is not here}
    ran = [
        dtype.value
        for dtype, one in masks.items()
        if that_run(module, {**found.inputs, name: one}) is not None
    ]
    return (" and ".join(ran),) if ran else ()


def _matters(module: nn.Module, name: str, found: Found) -> bool:
    """Whether filling the argument with either end changes an output."""
    base = answers(module, found)
    others = (answers(module, found, **{name: end}) for end in _ENDS)
    return any(base is None or other is None or not _alike(base, other) for other in others)


def _alike(some: tuple[torch.Tensor, ...], others: tuple[torch.Tensor, ...]) -> bool:
    return all(
        one.shape == other.shape and bool(torch.equal(one.nan_to_num(), other.nan_to_num()))
        for one, other in zip(some, others, strict=True)
    )
