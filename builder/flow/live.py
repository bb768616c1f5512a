"""What check and perf share: which version of which model is looked at."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from builder import repository
from builder.errors import RepositoryError
from builder.flow.note import read_note
from builder.flow.parts import Part, Parts, find_parts
from builder.flow.select import Chosen
from builder.repository import Published
from builder.spec.pipeline import PipelineNote
from builder.spec.project import Model, Pipeline, ReadProject, triton_names
from builder.spec.tensors import unique
from builder.wiring import as_model, mistakes, wire

NO_SERVER: Final = "no server"
"""Where a report ran that had nothing to ask a server for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeOf:
    """The steps of a pipeline's newest version."""

    pipeline: Pipeline
    parts: Parts
    note: PipelineNote

    @property
    def built_again(self) -> tuple[str, ...]:
        """The steps that have another version now than the pipeline was proven with."""
        before, now = self.note.versions, self.parts.versions
        return tuple(name for name, sha256 in now.items() if before.get(name) != sha256)

    @property
    def models(self) -> tuple[str, ...]:
        """The models of its steps, merged or not, by their names in the repository."""
        return unique((*self.parts.parts, *(step.model for step in self.note.served.steps)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One model or pipeline of the spec under its name in the repository."""

    name: str
    """In trb.yaml."""
    triton_name: str
    model: Model
    published: Published
    """Its newest version."""
    made_of: MadeOf | None = None
    """Of a pipeline; its `model` is what stands for one."""

    @property
    def loads(self) -> tuple[str, ...]:
        """What a server must load to answer for it, and to show where the numbers of a pipeline part."""
        return (self.triton_name, *(self.made_of.models if self.made_of is not None else ()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """One model of the spec that has no version of ours: never built, not built to the end, or put there by hand."""

    triton_name: str
    why: str
    """What is missing, and the command that mends it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What the repository has of the chosen models."""

    targets: tuple[Target, ...]
    missing: tuple[Missing, ...]


def targets(read: ReadProject, chosen: Chosen, names: Sequence[str] = ()) -> Found:
    """Return the newest published version of all that is chosen; `names` may narrow it to single backends."""
    found: list[Target] = []
    missing: list[Missing] = []
    for triton_name, find in _finders(read, chosen, names):
        try:
            found.append(find())
        except RepositoryError as error:  # a row of the report, and no reason to skip the others
            missing.append(Missing(triton_name=triton_name, why=f"{error.what}; {error.fix}"))
    return Found(targets=tuple(found), missing=tuple(missing))


def _finders(
    read: ReadProject, chosen: Chosen, names: Sequence[str]
) -> Iterator[tuple[str, Callable[[], Target]]]:
    for name, model in chosen.models.items():
        for triton_name in triton_names(name, model).values():
            if not names or name in names or triton_name in names:
                yield triton_name, partial(_model, read, name, triton_name, model)
    for name, pipeline in chosen.pipelines.items():
        yield name, partial(_pipeline, read, name, pipeline)


def _model(read: ReadProject, name: str, triton_name: str, model: Model) -> Target:
    return Target(name=name, triton_name=triton_name, model=model, published=_latest(read, triton_name))


def _pipeline(read: ReadProject, name: str, pipeline: Pipeline) -> Target:
    published = _latest(read, name)
    note, parts = read_note(published.folder), find_parts(read, pipeline)
    if not _is_as_built(pipeline, note, parts):
        raise RepositoryError(
            f"trb.yaml, or a step of {name}, has other tensors than version {published.version} was built with",
            fix=f"run `trb build {name}`",
        )
    made_of = MadeOf(pipeline=pipeline, parts=parts, note=note)
    model = as_model(made_of.note.written, made_of.parts.models, pipeline)
    return Target(name=name, triton_name=name, model=model, published=published, made_of=made_of)


def _is_as_built(pipeline: Pipeline, note: PipelineNote, parts: Parts) -> bool:
    """Whether trb.yaml and the steps in the repository still have the tensors that a pipeline was built with."""
    if mistakes(pipeline, parts.known):
        return False
    now = wire(note.written.name, pipeline, parts.known)
    before = note.written
    if (now.inputs, {*now.outputs}, now.tensors) != (before.inputs, {*before.outputs}, before.tensors):
        return False
    return all(_has_inputs(model, parts.parts[name]) for name, model in parts.models.items())


def _has_inputs(model: Model, part: Part) -> bool:
    """Whether an entry in trb.yaml has the inputs of what was built from it."""
    built = {tensor.name: len(tensor.shape) for tensor in part.signature.inputs}
    return {name: len(one.shape) for name, one in model.inputs.items()} == built


def _latest(read: ReadProject, triton_name: str) -> Published:
    """Return the newest version of a model.

    Raises:
        RepositoryError: there is none, or trb did not publish it.
    """
    published = repository.latest(read.repository, triton_name)
    _ = published.record  # raises where trb did not publish it
    return published
