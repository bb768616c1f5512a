"""Whether a compiled module answers like the eager one, over sizes, values and edges."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import torch

from builder.compare import compare, tolerances
from builder.export.example import drawn, example_sizes
from builder.feeds import Case, answer, cases, label
from builder.runtimes import as_tensor
from builder.spec.loaded import Feed, Loaded
from builder.spec.project import axis_range

_EVERY_SIZE_UP_TO: Final = 16
_EXTRA_SEEDS: Final = (101, 102)


def disagreement(loaded: Loaded, module: torch.jit.ScriptModule, *, every_size: bool) -> str:
    """Return how the outputs of `module` first differ from the reference's; empty: they agree on every case.

    Args:
        loaded: gives the reference, the sizes and the ranges.
        module: takes tensors in signature order, returns a tensor or a flat tuple.
        every_size: also step through each axis one by one: nobody else has looked whether a size decides.
    """
    allowed = tolerances(loaded.model, loaded.signature)
    for case in _cases(loaded, every_size=every_size):
        want = answer(loaded.reference, case, loaded.model, loaded.samples)
        try:
            got = _answer(loaded, module, case.feed)
        except (RuntimeError, IndexError, ValueError, NotImplementedError) as error:
            return f"{case.name}: it fails where eager PyTorch does not: {_last_line(error)}"
        for gap in compare(want, got, allowed):
            if not gap.passed:
                return f"{case.name}: output {gap.name}: {gap.problem}"
    return ""


def _cases(loaded: Loaded, *, every_size: bool) -> Iterator[Case]:
    yield from cases(loaded.model, loaded.signature, loaded.samples)
    sizes = example_sizes(loaded.model, loaded.signature)
    tried = [*({**sizes} for _ in _EXTRA_SEEDS), *(_steps(loaded, sizes) if every_size else ())]
    for seed, here in enumerate(tried, start=_EXTRA_SEEDS[0]):
        name = f"random seed={seed} {label(here)}".rstrip()
        yield Case(name=name, sizes=here, feed=drawn(loaded, here, seed))


def _steps(loaded: Loaded, sizes: Mapping[str, int]) -> Iterator[dict[str, int]]:
    for axis in sizes:
        limits = axis_range(loaded.model, axis)
        last = min(limits.max, limits.min + _EVERY_SIZE_UP_TO - 1)
        yield from ({**sizes, axis: size} for size in range(limits.min, last + 1))
        size = 2 * last
        while size <= limits.max:
            yield {**sizes, axis: size}
            size *= 2


def _answer(loaded: Loaded, module: torch.jit.ScriptModule, feed: Feed) -> dict[str, Any]:
    with torch.inference_mode():
        answer = module(*(as_tensor(feed[tensor.name]) for tensor in loaded.signature.inputs))
    tensors = (answer,) if isinstance(answer, torch.Tensor) else answer
    names = (tensor.name for tensor in loaded.signature.outputs)
    return {name: tensor.numpy() for name, tensor in zip(names, tensors, strict=True)}


def _last_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {lines[-1]}" if lines else type(error).__name__
