"""The steps of a pipeline, run one after another in this process."""

from collections.abc import Mapping
from typing import Any

from builder.errors import SourceError, TrbError
from builder.spec.loaded import Feed, Runner
from builder.spec.pipeline import Wired, WiredStep


def composed(wired: Wired, runners: Mapping[str, Runner]) -> Runner:
    """Return what runs the whole pipeline.

    Args:
        wired: the pipeline.
        runners: what runs each model, by its name in the repository.
    """

    def run(feed: Feed) -> dict[str, Any]:
        tensors = traced(wired, runners, feed)
        return {name: tensors[name] for name in wired.outputs}

    return run


def traced(wired: Wired, runners: Mapping[str, Runner], feed: Feed) -> dict[str, Any]:
    """Return every tensor of the pipeline for the inputs `feed`.

    Raises:
        SourceError: a step refuses what it is fed; it is named.
    """
    tensors = dict(feed)
    for step in wired.steps:
        answer = _answer(step, runners[step.model], tensors)
        tensors |= {name: answer[own] for own, name in step.outputs.items()}
    return tensors


def _answer(step: WiredStep, run: Runner, tensors: Feed) -> Mapping[str, Any]:
    try:
        return run({own: tensors[name] for own, name in step.inputs.items()})
    except Exception as error:  # the user's code and the runtimes raise anything
        what = error.what if isinstance(error, TrbError) else f"{type(error).__name__}: {error}"
        raise SourceError(f"step {step.name}: {what}", fix=getattr(error, "fix", "")) from error
