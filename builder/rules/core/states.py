"""`state` of sequence batching: what a sequence begins with."""

import math
from collections.abc import Iterator
from typing import Final

from builder.rules.core.files import Files, unread
from builder.rules.core.sizes import byte_size, dims_of
from builder.rules.refusal import BATCHED_DIM, Config, Place, Refusal

FOLDER: Final = "initial_state"

Wrong = tuple[str, str] | None
"""The words and the part of what is wrong; None for nothing."""


def check(config: Config, files: Files | None) -> Iterator[Refusal]:
    """Yield what the core has against the initial state of each state."""
    started: set[str] = set()
    for position, state in enumerate((config.get("sequence_batching") or {}).get("state") or ()):
        name, initial = state.get("input_name") or "", state.get("initial_state") or ()
        at: Place = ("sequence_batching", "state", position, "initial_state")
        if len(initial) > 1:
            yield Refusal(
                f"initial_state field for state input '{name}' must contain exactly one or zero element. Found "
                f"'{len(initial)}' elements.",
                code="C222",
                place=at,
            )
        elif initial:
            yield from _initial(state, initial[0], (*at, 0), files, started)


def _initial(
    state: Config, initial: Config, at: Place, files: Files | None, started: set[str]
) -> Iterator[Refusal]:
    wrong = _identity(state, initial, started) or _dims(state, initial) or _data(state, initial)
    started.add(state.get("input_name") or "")
    if wrong:
        words, part = wrong
        yield Refusal(words, code="C222", place=(*at, part) if part in initial else at)
    elif "data_file" in initial and files is not None:
        yield from _file(initial, files, (*at, "data_file"))


def _identity(state: Config, initial: Config, started: set[str]) -> Wrong:
    name = state.get("input_name") or ""
    if _type(initial) != _type(state):
        words = f"The data type used for 'initial_state' field of state '{name}' does not match the state data type."
        return words, "data_type"
    if not initial.get("name"):
        return f"Field 'name' must be set when using initial_state for state input '{name}'.", "name"
    if name in started:
        return f"State input name '{name}' specified more than once.", ""
    return None


def _dims(state: Config, initial: Config) -> Wrong:
    name, given, wanted = state.get("input_name") or "", dims_of(initial), dims_of(state)
    if len(given) != len(wanted):
        words = (
            "Number of dimensions in 'initial_state' doesn't match the size of 'state' dimensions for state input "
            f"'{name}'. {len(given)} != {len(wanted)}"
        )
        return words, "dims"
    for dim, declared in zip(given, wanted, strict=True):
        if dim == BATCHED_DIM:
            return (
                f"'initial_state' field for state input name '{name}' contains variable dimensions.",
                "dims",
            )
        if declared not in (BATCHED_DIM, dim):
            words = f"'initial_state' dim for input name '{name}' doesn't match 'state' dim description."
            return f"{words} {dim} != {declared}", "dims"
    if math.prod(given) < 0:
        return (
            f"state '{name}' starts with {given}: a server that makes room for it ends, with all its models",
            "dims",
        )
    return None


def _data(state: Config, initial: Config) -> Wrong:
    if "data_file" in initial or "zero_data" in initial:
        return None
    return f"initial_state setting expects state'{state.get('input_name') or ''}' to have state_data set", ""


def _file(initial: Config, files: Files, place: Place) -> Iterator[Refusal]:
    path = f"{FOLDER}/{initial['data_file']}"
    if refusal := unread(path, files, code="C222", place=place):
        yield refusal
        return
    needed, has = byte_size(_type(initial), dims_of(initial)), files.size(path) or 0
    if _type(initial) != "TYPE_STRING" and needed > has:
        yield Refusal(
            f"initial_state setting expects {needed} bytes, but the data provided from {initial['data_file']} only has "
            f"{has} bytes.",
            code="C222",
            place=place,
        )


def _type(of: Config) -> str:
    return str(of.get("data_type") or "TYPE_INVALID")
