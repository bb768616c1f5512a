"""Many requests, one run: what a C++ backend does with a batch, and a loop over requests only pretends to."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from builder.server.standins.refused import RequestRefused

Array = npt.NDArray[np.generic]
Feeds = Mapping[str, Array]
Run = Callable[[Feeds], Feeds]
"""Runs the model once: arrays by input name in, arrays by output name out; raises RequestRefused."""


def answer(requests: Sequence[Feeds], run: Run, *, batched: bool) -> list[Feeds | RequestRefused]:
    """Return what each request is answered, from one run of all of them where the model is batched.

    Args:
        requests: the inputs of each request, batch axis first where `batched`.
        run: the model.
        batched: whether max_batch_size is above 0.
    """
    if batched:
        return _together(requests, run)
    return [_alone(request, run) for request in requests]


def _alone(request: Feeds, run: Run) -> Feeds | RequestRefused:
    try:
        return run(request)
    except RequestRefused as refused:
        return refused


def _together(requests: Sequence[Feeds], run: Run) -> list[Feeds | RequestRefused]:
    rows = [len(next(iter(request.values()))) for request in requests]
    try:
        outputs = run(_concatenated(requests))
    except RequestRefused as refused:
        return [refused] * len(requests)
    answers: list[Feeds | RequestRefused] = []
    start = 0
    for count in rows:
        answers.append(_part(outputs, start, start + count))
        start += count
    return answers


def _concatenated(requests: Sequence[Feeds]) -> Feeds:
    if len(requests) == 1:
        return requests[0]
    return {name: np.concatenate([request[name] for request in requests]) for name in requests[0]}


def _part(outputs: Feeds, start: int, end: int) -> Feeds | RequestRefused:
    for name, whole in outputs.items():
        if whole.ndim == 0 or len(whole) < end:
            got = len(whole) if whole.ndim else 1
            return RequestRefused(
                f"failed to split the output tensor '{name}' in responses: expected batch size of at least "
                f"{end} in model output, got {got}",
                "UNSUPPORTED",
            )
    return {name: whole[start:end] for name, whole in outputs.items()}
