"""A trb.yaml for a person to go on with: what was found, why, and what is left to fill in."""

import json
from collections.abc import Iterator
from textwrap import wrap
from typing import Final

import yaml

from builder.loading.guessed import GuessedInput, GuessedModel
from builder.spec.project import Project

_WIDTH: Final = 100
_BATCH: Final = 8


def write_spec(name: str, guessed: GuessedModel) -> str:
    """Return a commented trb.yaml that reads without a mistake; what is not known stands as `FILL IN`."""
    return "\n".join(_lines(name, guessed)) + "\n"


def _lines(name: str, guessed: GuessedModel) -> Iterator[str]:
    yield "# What `trb` has to know about the model. Every key is explained in docs/spec.md."
    yield from (
        line for note in guessed.notes for line in wrap(f"# Note: {note}.", _WIDTH, subsequent_indent="# ")
    )
    yield f'triton: "{Project(models={}).triton}"    # the release that must load the repository'
    yield f"repository: {Project(models={}).repository}"
    yield ""
    yield "models:"
    yield f"  {_word(name)}:"
    yield f"    source: {_word(guessed.source)}"
    yield "    # weights: weights.safetensors    # those of the callable, when left out"
    yield "    inputs:"
    for argument, found in guessed.inputs.items():
        yield from _input(argument, found)
    yield from _dims(guessed)
    yield "    backend: onnx    # or torchscript, or [onnx, torchscript] to compare them"
    yield "    # samples: samples.npz    # real inputs; seeded random ones are used without"
    yield "    # latency: {p99_ms: 20}    # the budget of `trb perf`"


def _input(name: str, found: GuessedInput) -> Iterator[str]:
    if found.dtype is None or found.shape is None:
        yield f"      {_word(name)}: {{dtype: fp32, shape: [batch, 1]}}    # FILL IN: could not be inferred"
        return
    yield from wrap(f"# {found.why}", _WIDTH, initial_indent=" " * 6, subsequent_indent="      # ")
    if found.dtype.is_float:
        yield "      # `range: [smallest, largest]` that clients send; standard normal without"
    ends = f", range: [{found.range[0]:.0f}, {found.range[1]:.0f}]" if found.range is not None else ""
    shape = ", ".join(map(str, found.shape))
    left = "    # FILL IN: `values: samples`, and `samples` below" if found.not_all_run else ""
    yield f"      {_word(name)}: {{dtype: {found.dtype.value}, shape: [{shape}]{ends}}}{left}"


def _dims(guessed: GuessedModel) -> Iterator[str]:
    if _has_batch(guessed) or guessed.dims:
        yield "    dims:"
    if _has_batch(guessed):
        yield f"      batch: {{max: {_BATCH}}}    # the largest batch that Triton forms"
    for axis, size in guessed.dims.items():
        ends = f"{{min: {size.min}, max: {size.max}}}"
        yield f"      {axis}: {ends}    # sizes that ran; give those that clients send"


def _has_batch(guessed: GuessedModel) -> bool:
    return any(found.shape is None or "batch" in found.shape for found in guessed.inputs.values())


def _word(text: str) -> str:
    """Return `text` as YAML reads it back: quoted where it would be something else, such as `no`."""
    try:
        is_plain = yaml.safe_load(f"{text}: 0") == {text: 0}
    except yaml.YAMLError:
        is_plain = False
    return text if is_plain else json.dumps(text, ensure_ascii=False)
