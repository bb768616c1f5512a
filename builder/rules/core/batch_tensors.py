"""`batch_input` and `batch_output`: tensors that the backend makes of a whole batch."""

from collections.abc import Iterator
from typing import Final

from builder.rules.refusal import Config, Place, Refusal, tensors

_TYPES: Final = ("TYPE_INT32", "TYPE_FP32")
_KINDS: Final = {
    "batch_input": "BATCH_ELEMENT_COUNT",
    "batch_output": "BATCH_SCATTER_WITH_INPUT_SHAPE",
}
"""What each is where it does not say."""


def check(config: Config) -> Iterator[Refusal]:
    """Yield what the core has against each."""
    for key in _KINDS:
        for position, one in enumerate(config.get(key) or ()):
            for words, part in _problems(config, key, one):
                place: Place = (key, position, part) if part in one else (key, position)
                yield Refusal(f"{words} for {config['name']}", code="C220", place=place)


def _problems(config: Config, key: str, one: Config) -> Iterator[tuple[str, str]]:
    """Yield the words and the part of what is wrong."""
    words = key.replace("_", " ")
    kind = one.get("kind") or _KINDS[key]
    sources = list(one.get("source_input") or ())
    if isinstance(kind, int):
        yield f"unknown {words} kind ''", "kind"
    elif len(sources) != 1:
        yield f"{words} kind '{kind}' expects 1 source input, got {len(sources)}", "source_input"
    if key == "batch_input" and one.get("data_type") not in _TYPES:
        yield "batch input data type must be TYPE_INT32 or TYPE_FP32", "data_type"
    inputs = {tensor.get("name") for tensor in tensors(config, "input")}
    yield from (
        (f"unknown source input name '{name}'", "source_input") for name in sources if name not in inputs
    )
    if key == "batch_output":
        yield from _targets(config, list(one.get("target_name") or ()))


def _targets(config: Config, names: list[str]) -> Iterator[tuple[str, str]]:
    outputs = {tensor.get("name") for tensor in tensors(config, "output")}
    for position, name in enumerate(names):
        if name not in outputs:
            yield f"unknown target output name '{name}'", "target_name"
        elif name in names[:position]:
            yield f"target output name '{name}' can only be specified once", "target_name"
