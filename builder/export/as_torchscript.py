"""The model as TorchScript in memory, traced or scripted, made once for both backends."""

import warnings
from collections.abc import MutableMapping
from dataclasses import dataclass
from typing import Any, Final
from weakref import WeakKeyDictionary

import torch
from torch.jit._trace import TracerWarning

from builder.blame import line_of_error, without_folders
from builder.export.agreement import disagreement
from builder.export.capture import capture
from builder.export.example import example, example_feed
from builder.export.flat_torchscript import Paths, argument_names, flat, paths
from builder.export.returned import line_that_makes, way_to_return
from builder.runtimes import as_tensor
from builder.spec.loaded import Loaded


@dataclass(frozen=True, slots=True, kw_only=True)
class Compiled:
    """A model in TorchScript that answers like the eager one; or why there is none."""

    module: torch.jit.ScriptModule | None
    """In eval mode, not frozen; takes tensors in signature order, returns a tensor or a flat tuple."""
    how: str = ""
    """trace, script or copied."""
    notes: tuple[str, ...] = ()
    refusal: str = ""
    """Why there is no module, one or more lines, with the user's line where one is known."""
    fix: str = ""
    """What would make a module, where that shows."""


# Keyed by the module object: two backends of one model share the work. An entry goes with its module.
_MADE: MutableMapping[torch.nn.Module, Compiled] = WeakKeyDictionary()
_MAX_NOTED_WARNINGS: Final = 5


def as_torchscript(loaded: Loaded) -> Compiled:
    """Compile `loaded` as its `torchscript` mode says; a second call is free."""
    if loaded.module not in _MADE:
        _MADE[loaded.module] = _compile(loaded)
    return _MADE[loaded.module]


def _compile(loaded: Loaded) -> Compiled:
    if loaded.kind == "torchscript":
        return _taken_over(loaded)
    if loaded.model.torchscript == "trace":
        return _checked(
            loaded, _traced(loaded), "`torchscript: trace` was asked for, but the trace is not the model"
        )
    if loaded.model.torchscript == "script":
        return _checked(loaded, _scripted(loaded), "the scripted module is not the model")
    return traced_or_scripted(loaded)


def traced_or_scripted(loaded: Loaded) -> Compiled:
    """Trace; script where a value may decide what is computed, or where the trace answers otherwise."""
    found = capture(loaded)
    doubt = f"a value decides what is computed at {found.value_decides}" if found.value_decides else ""
    if not doubt:
        traced = _checked(loaded, _traced(loaded), "the trace is not the model")
        if traced.module is not None:
            return traced
        doubt = traced.refusal
    made = _checked(loaded, _scripted(loaded), "the scripted module is not the model either")
    if made.module is None:
        place = line_of_error(found.failure) if found.failure else ""
        seen = f"\n  torch.export stopped at {place}" if place and place not in doubt + made.refusal else ""
        return Compiled(module=None, refusal=f"{doubt}{seen}\n{made.refusal}", fix=made.fix)
    return Compiled(module=made.module, how="script", notes=(*made.notes, f"not traced: {_note(doubt)}"))


def _checked(loaded: Loaded, compiled: Compiled, complaint: str) -> Compiled:
    if compiled.module is None:
        return compiled
    difference = disagreement(loaded, compiled.module, every_size=capture(loaded).program is None)
    return Compiled(module=None, refusal=f"{complaint}: {difference}") if difference else compiled


def _traced(loaded: Loaded) -> Compiled:
    inputs = example(loaded)
    with warnings.catch_warnings(record=True) as caught, torch.no_grad():
        warnings.simplefilter("always")
        try:
            inner = torch.jit.trace(loaded.module, inputs, check_trace=False)
            module = flat(
                loaded,
                inner,
                ", ".join(argument_names(loaded.signature)),
                _flat_results(loaded, inner, inputs),
            )
        except Exception as error:  # noqa: BLE001 - the user's own forward runs in here and may raise anything
            return Compiled(module=None, refusal=_told("tracing failed", error, line_of_error(error)))
    return Compiled(module=module, how="trace", notes=_tracer_warnings(caught))


def _flat_results(loaded: Loaded, inner: Any, inputs: tuple[torch.Tensor, ...]) -> Paths:
    count = len(loaded.signature.outputs)
    if isinstance(inner(*inputs), torch.Tensor):
        return Paths(expressions=("r",))
    return Paths(expressions=tuple(f"r[{place}]" for place in range(count)))


def _scripted(loaded: Loaded) -> Compiled:
    own = loaded.module if loaded.original is None else loaded.original
    try:
        inner = torch.jit.script(own)
        return Compiled(module=_flattened(loaded, own, inner), how="script")
    except Exception as error:  # noqa: BLE001 - the compiler raises RuntimeError, OSError, TypeError and its own classes
        place = line_of_error(error) or line_that_makes(own, _own_answer(loaded, own))
        refusal = _told("scripting failed", error, place)
        return Compiled(module=None, refusal=refusal, fix=way_to_return(place))


def _flattened(loaded: Loaded, own: Any, inner: torch.jit.ScriptModule) -> torch.jit.ScriptModule:
    """Put `inner`, compiled from `own`, behind flat outputs, called as `loaded.module` calls it."""
    names = argument_names(loaded.signature)
    answer = loaded.reference(example_feed(loaded))
    wanted = [as_tensor(answer[tensor.name]) for tensor in loaded.signature.outputs]
    forward: Any = inner.forward
    results = paths(_own_answer(loaded, own), forward.schema.returns[0].type, wanted)
    call = ", ".join(f"{name}={name}" if loaded.bind == "name" else name for name in names)
    return flat(loaded, inner, call, results)


def _own_answer(loaded: Loaded, own: Any) -> Any:
    """Return what the user's own module answers to the example, nested as it may be."""
    feed = example_feed(loaded)
    given = {tensor.name: as_tensor(feed[tensor.name]) for tensor in loaded.signature.inputs}
    with torch.no_grad():
        return own(**given) if loaded.bind == "name" else own(*given.values())


def _taken_over(loaded: Loaded) -> Compiled:
    """Take a TorchScript source as it is, in eval mode: dropout would be served active otherwise."""
    own = loaded.module.eval()
    try:
        return Compiled(module=_flattened(loaded, own, own), how="copied")
    except Exception as error:  # noqa: BLE001 - a foreign module runs in here
        what = "the TorchScript source cannot be served"
        return Compiled(module=None, refusal=_told(what, error, line_of_error(error)))


def _told(what: str, error: Exception, place: str) -> str:
    lines = [line.strip() for line in str(error).strip().splitlines() if line.strip()]
    reason = lines[0] if lines else type(error).__name__
    return f"{what}: {reason}" + (f"\n  at {place}" if place else "")


def _tracer_warnings(caught: list[warnings.WarningMessage]) -> tuple[str, ...]:
    told = [str(w.message).split(". ")[0] for w in caught if issubclass(w.category, TracerWarning)]
    return tuple(f"tracer warning: {text}" for text in dict.fromkeys(told))[:_MAX_NOTED_WARNINGS]


def _note(doubt: str) -> str:
    return without_folders(doubt.splitlines()[0])
