"""What a model answers to a case; where it refuses one, which, and for the values of which inputs."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

import numpy as np

from builder.errors import SourceError, TrbError
from builder.feeds.cases import Case
from builder.feeds.edges import edge_feeds
from builder.feeds.random import random_feed
from builder.feeds.samples import drawn_inputs
from builder.feeds.values import Array
from builder.spec.dtypes import DType
from builder.spec.loaded import Feed
from builder.spec.project import Model

Answer = TypeVar("Answer")


def answer(run: Callable[[Feed], Answer], case: Case, model: Model, samples: Feed | None) -> Answer:
    """Return what `run` answers to `case`.

    Args:
        run: the model itself, which may raise anything.
        case: what it is fed.
        model: its spec, with what the samples tell.
        samples: its samples.

    Raises:
        SourceError: it refuses; the case is named, and the inputs with other values of which it runs.
    """
    try:
        return run(case.feed)
    except Exception as error:  # the user's code raises anything
        what = error.what if isinstance(error, TrbError) else f"{type(error).__name__}: {error}"
        others = tuple(_others(case, model, samples))
        refused = [name for name in others[0] if _runs_with_other(run, case, name, others)] if others else []
        told = [f"\n  it runs with other values of `{n}`, {_which_is(case.feed[n])}" for n in refused]
        fix = _way_out(model, refused) if refused else getattr(error, "fix", "")
        raise SourceError(f"{case.name}: {what}{''.join(told)}", fix=fix) from error


def _others(case: Case, model: Model, samples: Feed | None) -> Iterator[Feed]:
    """Yield other values of the inputs that are drawn; none in place of real ones."""
    drawn = drawn_inputs(model)
    if case.is_real or not drawn:
        return
    seed = model.parity.seed
    for feed in (
        random_feed(model, case.sizes, seed + 1, samples),
        *edge_feeds(model, case.sizes, seed, samples).values(),
    ):
        yield {name: feed[name] for name in drawn}


def _runs_with_other(run: Callable[[Feed], Any], case: Case, name: str, others: Sequence[Feed]) -> bool:
    for other in others:
        try:
            run({**case.feed, name: other[name]})
        except Exception:  # noqa: BLE001, S112 - a trial; what the case itself raised is told
            continue
        return True
    return False


def _which_is(array: Array) -> str:
    """Return in few words what an input holds."""
    if array.dtype == object:
        return "which holds text"
    low, high = np.min(array), np.max(array)
    return f"which is {low} throughout" if low == high else f"which has values from {low} to {high}"


def _way_out(model: Model, names: Sequence[str]) -> str:
    ranged = [name for name in names if model.inputs[name].dtype not in (DType.BOOL, DType.STRING)]
    narrow = f"narrow the `range` of {_listed(ranged)}; or, if not all of it is real, " if ranged else ""
    give = "" if model.samples is not None else "give real inputs as `samples`, and "
    return f"{narrow}{give}say `values: samples` of {_listed(names)}: then nothing but the samples' values is fed"


def _listed(names: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)
