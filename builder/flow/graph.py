"""`trb graph`: what a pipeline is made of, and where its time goes."""

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from builder import repository
from builder.errors import RepositoryError, UsageError
from builder.flow.note import read_note
from builder.lint import Target, printable, wired
from builder.repository import Published
from builder.spec.graph import Edge, GraphReport, GraphStep, Look, PipelineGraph
from builder.spec.pipeline import Wired, WiredStep
from builder.spec.plain import from_plain
from builder.spec.project import Backend
from builder.spec.releases import Release, release, releases
from builder.spec.results import StepTime
from builder.spec.tensors import Signature, Tensor

_KINDS: Final[Mapping[str, tuple[str, Look]]] = {
    "onnxruntime": ("ONNX graph", "graph"),
    "pytorch": ("TorchScript graph", "graph"),
    "python": ("Python", "python"),
    Backend.ENSEMBLE.triton: ("pipeline", "pipeline"),
}
"""What is said of a backend, and what it is painted as."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Times:
    """What was measured on a version."""

    at: str = ""
    """Empty: nothing was."""
    steps: Mapping[str, StepTime]
    """By step."""


def graph(spec_file: Path, names: Sequence[str]) -> GraphReport:
    """Return the pipelines of the spec, or those called `names`, as they lie in its repository.

    Raises:
        SpecError: the spec has mistakes.
        UsageError: the spec has no pipeline, or none of this name.
        RepositoryError: one was not built, or what lies there cannot be read.
    """
    from builder import readspec  # a repository alone is drawn without pydantic

    read = readspec.read(spec_file)
    pipelines = read.project.pipelines
    if not pipelines:
        raise UsageError(
            f"{spec_file} has no pipeline",
            fix="describe one under `pipelines:`, or draw what lies in a repository: trb graph --repository DIR",
        )
    for name in names:
        if name not in pipelines:
            near = difflib.get_close_matches(name, pipelines, n=1)
            hint = f"did you mean `{near[0]}`?" if near else f"it has: {', '.join(pipelines)}"
            raise UsageError(f"the spec has no pipeline `{name}`", fix=hint)
    chosen = tuple(dict.fromkeys(names or pipelines))
    for name in chosen:
        repository.latest(read.repository, name)  # raises where it was never built
    return _report(read.repository, chosen, release(read.project.triton))


def graph_repository(root: Path, names: Sequence[str]) -> GraphReport:
    """Return the ensembles of any repository, or those called `names`, from its config.pbtxt files alone.

    Raises:
        RepositoryError: there is no such ensemble, or a config.pbtxt cannot be read.
    """
    return _report(root, tuple(names), releases()[-1])


def _report(root: Path, names: Sequence[str], of: Release) -> GraphReport:
    found = wired(root, Target(release=of), names, recorded=lambda name: _recorded(root, name))
    return GraphReport(pipelines=tuple(_graph(root, one) for one in found), repository=printable(str(root)))


def _graph(root: Path, one: Wired) -> PipelineGraph:
    published = _newest(root, one.name)
    fused = _fused(published) if published else {}
    times = _times(root, published) if published else _Times(steps={})
    return PipelineGraph(
        name=printable(one.name),
        version=published.version if published else None,
        max_batch_size=one.max_batch_size,
        fused=fused,
        inputs=tuple(_printable(one.tensors[name]) for name in one.inputs),
        outputs=tuple(_printable(one.tensors[name]) for name in one.outputs),
        steps=tuple(_step(root, step, fused, times.steps.get(step.name)) for step in one.steps),
        edges=tuple(_edges(one)),
        is_ours=published is not None and published.is_recorded,
        measured_at=times.at,
    )


def _step(
    root: Path, step: WiredStep, fused: Mapping[str, tuple[str, ...]], time: StepTime | None
) -> GraphStep:
    kind, look = _KINDS.get(step.backend, (printable(step.backend), "other"))
    if step.model in fused:
        kind, look = f"merged: {' + '.join(fused[step.model])}", "merged"
    newest = _newest(root, step.model)
    return GraphStep(
        name=printable(step.name),
        model=printable(step.model),
        version=step.version if step.version > 0 else newest.version if newest else None,
        kind=kind,
        look=look,
        max_batch_size=step.max_batch_size,
        time=time,
    )


def _edges(one: Wired) -> Iterator[Edge]:
    """Yield what clients send, then what each step gives, each tensor to its readers in order."""
    given = [*one.inputs, *(name for step in one.steps for name in step.outputs.values())]
    for name in dict.fromkeys(given):
        giver = one.giver(name)
        tensor = _printable(one.tensors[name])
        source = None if giver is None else printable(giver.name)
        for reader in one.readers(name):
            yield Edge(tensor=tensor, giver=source, reader=printable(reader.name))
        if name in one.outputs:
            yield Edge(tensor=tensor, giver=source, reader=None)


def _printable(tensor: Tensor) -> Tensor:
    return replace(tensor, name=printable(tensor.name))


def _newest(root: Path, name: str) -> Published | None:
    """Return the newest version of a model, hand-written ones too; None where there is none."""
    try:
        return repository.latest(root, name)
    except RepositoryError:  # a hand-written model may have no version, or a name that trb would not give
        return None


def _recorded(root: Path, name: str) -> Signature | None:
    """Return the tensors of a model's newest version as trb recorded them, the names of axes included."""
    published = _newest(root, name)
    if published is None or not published.is_recorded:
        return None
    return published.record.signature


def _fused(published: Published) -> Mapping[str, tuple[str, ...]]:
    """Return the steps that each merged model stands for; none in what somebody put there by hand."""
    if not (published.folder / Backend.ENSEMBLE.filename).exists():
        return {}
    return read_note(published.folder).fused


def _times(root: Path, published: Published) -> _Times:
    """Return what the newest measurement of the version that lies there found of its steps."""
    if not published.is_recorded:
        return _Times(steps={})
    wanted = repository.version_hash(published.folder)
    for entry in reversed(repository.read_live(root, published.triton_name)):
        if entry.get("kind") == "perf" and entry.get("version_hash") == wanted:
            steps = _measured_steps(entry.get("value"))
            if steps:
                return _Times(at=str(entry.get("at", "")), steps={one.step: one for one in steps})
    return _Times(steps={})


def _measured_steps(value: Any) -> tuple[StepTime, ...]:
    """Return the times of the steps in an entry; none where it has none that this trb understands."""
    steps = value.get("steps") if isinstance(value, dict) else None
    try:
        return from_plain(tuple[StepTime, ...], steps)
    except (TypeError, ValueError):  # of another trb
        return ()
