"""Where Triton's pytorch backend takes tensors in the config's order although their names say otherwise.

No server notices: the model loads, and answers with the wrong tensors.
"""

from collections.abc import Iterator, Sequence

from builder.rules import pytorch
from builder.rules.pytorch import Argument, Naming
from builder.rules.pytorch_values import Type
from builder.rules.refusal import Config, Place, Refusal, tensors


def check(config: Config, arguments: Sequence[Argument], returned: Type) -> list[Refusal]:
    """Return the inputs and outputs that are silently taken for others."""
    return [*_inputs(config, arguments), *_outputs(config, returned)]


def _inputs(config: Config, arguments: Sequence[Argument]) -> Iterator[Refusal]:
    known = [argument.name for argument in arguments]
    names = [tensor["name"] for tensor in tensors(config, "input")]
    if pytorch.takes_dict(arguments) or pytorch.input_naming(names, known) is not Naming.CONFIG_ORDER:
        return
    for own, name in enumerate(names):
        meant = _meant(name, known)
        if meant is not None and meant != own:
            yield _surprise(
                f"input '{name}' is given to argument number {own} of forward(), counted from 0: neither are all "
                "names its arguments, nor do all end in __<index>, so the order of the config decides",
                ("input", own, "name"),
                fix=f"name every input as in forward({', '.join(known)})",
            )


def _outputs(config: Config, returned: Type) -> Iterator[Refusal]:
    names = [tensor["name"] for tensor in tensors(config, "output")]
    if pytorch.output_naming(names) is not Naming.CONFIG_ORDER:
        return
    fix = "end every output's name in __<index>, counted from 0"
    swapped = [
        (own, name) for own, name in enumerate(names) if _meant(name, returned.names) not in (None, own)
    ]
    for own, name in swapped:
        yield _surprise(
            f"output '{name}' is answered with number {own} of the model, counted from 0: not all names end in "
            "__<index>, so the order of the config decides",
            ("output", own, "name"),
            fix=fix,
        )
    if not swapped and len(names) < len(returned.results):
        yield _surprise(
            f"the model returns {len(returned.results)} values and the config names {len(names)}: they get the first "
            "ones, whatever their names say",
            ("output",),
            fix=fix,
        )


def _meant(name: str, known: Sequence[str]) -> int | None:
    """Return the position that a name seems to mean; None where it means none."""
    return known.index(name) if name in known else pytorch.index_of(name)


def _surprise(message: str, place: Place, *, fix: str) -> Refusal:
    return Refusal(message, kind="surprise", code="T210", place=place, fix=fix)
