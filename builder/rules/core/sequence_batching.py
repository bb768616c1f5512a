"""`sequence_batching`: its control tensors and its strategy."""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from builder.rules.core.dynamic_batching import preferred_sizes
from builder.rules.refusal import Config, Place, Refusal

_AT: Final = "sequence_batching"
_TRUTHS: Final = ("int32_false_true", "fp32_false_true", "bool_false_true")
_SIDES: Final = 2
_START: Final = "CONTROL_SEQUENCE_START"
_BOOLEAN: Final = (_START, "CONTROL_SEQUENCE_END", "CONTROL_SEQUENCE_READY")
_CORRID: Final = "CONTROL_SEQUENCE_CORRID"
_CORRID_TYPES: Final = ("TYPE_UINT64", "TYPE_INT64", "TYPE_UINT32", "TYPE_INT32", "TYPE_STRING")


class _Control(NamedTuple):
    value: Config
    place: Place


def check(config: Config) -> Iterator[Refusal]:
    """Yield what the core has against how sequences are to be batched."""
    batching = config.get(_AT)
    if batching is None:
        return
    yield from _tensor_names(config, batching.get("control_input") or ())
    for kind in (*_BOOLEAN, _CORRID):
        yield from _controls(config, batching, kind)
    if (oldest := batching.get("oldest")) is not None:
        called = "sequence batching preferred batch size"
        yield from preferred_sizes(config, oldest, (_AT, "oldest"), called, code="C215")
    yield from _slots(config, batching.get("direct") or {})


def _tensor_names(config: Config, inputs: Sequence[Config]) -> Iterator[Refusal]:
    seen: set[str] = set()
    for position, one in enumerate(inputs):
        name = one.get("name") or ""
        if not name:
            yield Refusal(
                f"sequence batching control tensor must have a name for {config['name']}",
                code="C214",
                place=(_AT, "control_input", position),
            )
        elif name in seen:
            yield Refusal(
                f"sequence batching control tensor '{name}' is specified for multiple control kinds for "
                f"{config['name']}",
                code="C214",
                place=(_AT, "control_input", position, "name"),
                fix="put both into the `control` of one tensor, or give them two names",
            )
        seen.add(name)


def _of_kind(batching: Config, kind: str) -> list[_Control]:
    return [
        _Control(control, (_AT, "control_input", position, "control", which))
        for position, one in enumerate(batching.get("control_input") or ())
        for which, control in enumerate(one.get("control") or ())
        if (control.get("kind") or _START) == kind
    ]


def _controls(config: Config, batching: Config, kind: str) -> Iterator[Refusal]:
    for number, control in enumerate(_of_kind(batching, kind)):
        if number > 0:
            yield Refusal(
                f"sequence batching specifies multiple {kind} tensors for {config['name']}",
                code="C214",
                place=control.place,
            )
        elif kind == _CORRID:
            yield from _correlation(config, control)
        else:
            yield from _boolean(config, kind, control)


def _boolean(config: Config, kind: str, control: _Control) -> Iterator[Refusal]:
    given = [part for part in _TRUTHS if control.value.get(part)]
    about = f"for {kind} for {config['name']}"
    if not given:
        yield Refusal(
            "sequence batching must specify either 'int32_false_true', 'fp32_false_true' or 'bool_false_true' "
            f"{about}",
            code="C214",
            place=control.place,
            fix="fp32_false_true: [0, 1]",
        )
    elif len(given) > 1:
        yield Refusal(
            "sequence batching specifies more than one from 'int32_false_true', 'fp32_false_true' and "
            f"'bool_false_true' {about}",
            code="C214",
            place=(*control.place, given[1]),
        )
    elif len(control.value[given[0]]) != _SIDES:
        yield Refusal(
            f"sequence batching control '{given[0]}' must have exactly 2 entries {about}",
            code="C214",
            place=(*control.place, given[0]),
        )


def _correlation(config: Config, control: _Control) -> Iterator[Refusal]:
    given = [part for part in _TRUTHS if control.value.get(part)]
    if given:
        yield Refusal(
            "sequence batching must not specify either 'int32_false_true', 'fp32_false_true' or "
            f"'bool_false_true' for {_CORRID} for {config['name']}",
            code="C214",
            place=(*control.place, given[0]),
        )
    elif control.value.get("data_type") not in _CORRID_TYPES:
        yield Refusal(
            f"unexpected data type for control {_CORRID} for {config['name']}. Allowed data types are "
            "TYPE_UINT64, TYPE_INT64, TYPE_UINT32, TYPE_INT32 and TYPE_STRING",
            code="C214",
            place=(*control.place, "data_type"),
            fix="data_type: TYPE_UINT64",
        )


def _slots(config: Config, direct: Config) -> Iterator[Refusal]:
    utilization = float(direct.get("minimum_slot_utilization") or 0)
    if utilization < 0 or utilization > 1:
        yield Refusal(
            f"sequence batching minimum slot utilization must be in range (0.0, 1.0] for {config['name']}",
            code="C215",
            place=(_AT, "direct", "minimum_slot_utilization"),
        )
