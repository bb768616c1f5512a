"""Which models and pipelines a command is about."""

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from builder.errors import UsageError
from builder.spec.project import Model, Pipeline, Project, triton_names


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """A part of a project, in its order."""

    models: Mapping[str, Model]
    pipelines: Mapping[str, Pipeline]


def select(project: Project, names: Sequence[str]) -> Chosen:
    """Return the models and pipelines called `names`, all when none is named; a name in the repository counts too.

    Raises:
        UsageError: the spec has none of that name.
    """
    if not names:
        return Chosen(models=project.models, pipelines=project.pipelines)
    owners = {t: name for name, model in project.models.items() for t in triton_names(name, model).values()}
    owners |= {name: name for name in (*project.models, *project.pipelines)}
    for name in names:
        if name not in owners:
            near = difflib.get_close_matches(name, owners, n=1)
            there = ", ".join((*project.models, *project.pipelines))
            hint = f"did you mean `{near[0]}`?" if near else f"it has: {there}"
            what = "model or pipeline" if project.pipelines else "model"
            raise UsageError(f"the spec has no {what} `{name}`", fix=hint)
    wanted = {owners[name] for name in names}
    return Chosen(
        models={name: model for name, model in project.models.items() if name in wanted},
        pipelines={name: pipeline for name, pipeline in project.pipelines.items() if name in wanted},
    )


def with_steps(project: Project, chosen: Chosen) -> Chosen:
    """Return what is chosen and all that its pipelines are made of, each pipeline after those that are steps of it."""
    pipelines: dict[str, Pipeline] = {}
    for name in chosen.pipelines:
        _add(project, name, pipelines)
    steps = {step.model for pipeline in pipelines.values() for step in pipeline.steps}
    models = {
        name: model
        for name, model in project.models.items()
        if name in chosen.models or not steps.isdisjoint(triton_names(name, model).values())
    }
    return Chosen(models=models, pipelines=pipelines)


def _add(project: Project, name: str, found: dict[str, Pipeline]) -> None:
    for step in project.pipelines[name].steps:
        if step.model in project.pipelines and step.model not in found:
            _add(project, step.model, found)
    found[name] = project.pipelines[name]
