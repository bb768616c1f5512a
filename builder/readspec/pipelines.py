"""What is wrong with the pipelines of trb.yaml: their names, their steps' models, and how the steps are joined."""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from pathlib import Path as FilePath

from builder import wiring
from builder.readspec import limits
from builder.readspec.finding import Finding, moved
from builder.readspec.shapes import close_match
from builder.readspec.tensors import TENSOR_RULE, is_tensor_name
from builder.readspec.yaml_tree import Path
from builder.spec.names import LONGEST_NAME, NAME_RULE, is_model_name, names_callable
from builder.spec.project import Pipeline, Project, Step, triton_names
from builder.wiring import Known


def pipelines(project: Project, repository: FilePath, dropped: Collection[Path]) -> Iterator[Finding]:
    """Yield every mistake of the pipelines.

    Args:
        project: what was read.
        repository: the model repository; a step may name a model that lies there already.
        dropped: the places that are mistakes already; a model or a step with one is not known.
    """
    known = {
        t: one for t, one in _models(project).items() if not _holds(dropped, "models", _owner(project, t))
    }
    clear = {name: one for name, one in project.pipelines.items() if not _is_taken(project, name)}
    circles = _in_circles(clear)
    for name in project.pipelines:
        found = (
            *_name(project, name),
            *_own(project.pipelines[name]),
            *_steps(project, name, repository, dropped),
        )
        yield from (moved(finding, ("pipelines", name)) for finding in found)
    yield from _circles(project, circles)
    for name in _inside_out(project.pipelines, clear):
        if name not in circles:
            legible = _legible(name, project.pipelines[name], dropped)
            yield from _joined(name, legible, known)
            if name in clear:
                known[name] = wiring.as_step(legible, known)


def _joined(name: str, pipeline: Pipeline, known: Mapping[str, Known]) -> Iterator[Finding]:
    """Yield what is wrong with how the steps of a pipeline are joined."""
    here: Path = ("pipelines", name)
    if not (pipeline.inputs and pipeline.steps and pipeline.outputs):
        return
    unfit = {finding.path for finding in _tensor_names(pipeline)}
    for mistake in wiring.mistakes(pipeline, known):
        if mistake.path not in unfit:
            yield Finding((*here, *mistake.path), mistake.message, ((*here, "inputs"),))


def _legible(name: str, pipeline: Pipeline, dropped: Collection[Path]) -> Pipeline:
    """Return a pipeline with a model that nobody knows in the place of each step that is a mistake already."""
    steps = tuple(
        Step(model="?") if _holds(dropped, "pipelines", name, "steps", n) else step
        for n, step in enumerate(pipeline.steps)
    )
    return replace(pipeline, steps=steps)


def _holds(places: Collection[Path], *here: str | int) -> bool:
    """Return whether one of `places` is at or below `here`."""
    return any(place[: len(here)] == here for place in places)


def _models(project: Project) -> dict[str, Known]:
    return {
        triton_name: wiring.of_spec(model, backend)
        for name, model in project.models.items()
        for backend, triton_name in triton_names(name, model).items()
    }


def _owner(project: Project, model: str) -> str:
    """Return which entry a model of the repository comes from."""
    return next(name for name, entry in project.models.items() if model in triton_names(name, entry).values())


def _is_taken(project: Project, name: str) -> bool:
    """Return whether a model has the name of a pipeline; who names it as a step cannot mean the one or the other."""
    return name in project.models or name in _models(project)


def _name(project: Project, name: str) -> Iterator[Finding]:
    if not is_model_name(name):
        is_long = len(name) > LONGEST_NAME
        why = f"{len(name)} letters are more than {LONGEST_NAME}" if is_long else NAME_RULE
        yield Finding((), f"Triton would refuse the name; {why}", stands=True)
    elif project.pipelines[name].fuse is not False and not is_model_name(f"{name}_fused"):
        yield Finding((), f"is too long for its merged steps, `{name[:20]}..._fused`", stands=True)
    if _is_taken(project, name):
        yield Finding((), f"a model is called `{name}` too; give one of the two another name", stands=True)
    merged = re.compile(rf"{re.escape(name)}_fused(_[0-9]+)?")
    for other in (*_models(project), *project.pipelines):
        if project.pipelines[name].fuse is not False and merged.fullmatch(other):
            message = f"its merged steps would be called like `{other}`; rename one, or say `fuse: false`"
            yield Finding((), message, stands=True)


def _own(pipeline: Pipeline) -> Iterator[Finding]:
    """Yield what is wrong with a pipeline's entry by itself."""
    for key in ("inputs", "steps", "outputs"):
        if not getattr(pipeline, key):
            yield Finding((key,), "is empty; a pipeline has at least one")
    if (
        pipeline.samples is not None
        and not pipeline.samples.endswith(".npz")
        and not names_callable(pipeline.samples)
    ):
        yield Finding(
            ("samples",), f"{pipeline.samples!r} is neither `package.module:callable` nor an .npz file"
        )
    for name, output in pipeline.outputs.items():
        if output.labels is not None:
            yield Finding(
                ("outputs", name, "labels"),
                "labels belong to the model that gives it; write them in its entry",
            )
    yield from _tensor_names(pipeline)
    yield from limits.pipeline_numbers(pipeline)


def _tensor_names(pipeline: Pipeline) -> Iterator[Finding]:
    """Yield the names that no tensor can have."""
    names: list[tuple[Path, str]] = [(("inputs", n), name) for n, name in enumerate(pipeline.inputs)]
    for n, step in enumerate(pipeline.steps):
        names += [(("steps", n, "map", own), name) for own, name in step.map.items()]
        names += [(("steps", n, "outputs", own), name) for own, name in step.outputs.items()]
    for path, name in (*names, *((("outputs", name), name) for name in pipeline.outputs)):
        if not is_tensor_name(name):
            yield Finding(path, TENSOR_RULE)


def _steps(project: Project, name: str, repository: FilePath, dropped: Collection[Path]) -> Iterator[Finding]:
    """Yield the steps whose model is nowhere."""
    models = _models(project)
    for place, step in enumerate(project.pipelines[name].steps):
        here = ("steps", place, "model")
        gone = (("models",), ("models", step.model), ("pipelines", step.model))
        if step.model in models or step.model in project.pipelines or any(one in dropped for one in gone):
            continue
        if step.model in project.models:
            called = " and ".join(triton_names(step.model, project.models[step.model]).values())
            yield Finding(here, f"`{step.model}` is served as {called}; name one of them")
        elif not (is_model_name(step.model) and (repository / step.model / "config.pbtxt").is_file()):
            there = [*models, *(other for other in project.pipelines if other != name)]
            where = f"neither trb.yaml nor {repository} has a model `{step.model}`"
            yield Finding(here, f"{where}{close_match(step.model, there)}")


def _circles(project: Project, circles: Mapping[str, tuple[str, ...]]) -> Iterator[Finding]:
    """Yield each circle once, at the step that leads into it."""
    told: set[frozenset[str]] = set()
    for name, way in circles.items():
        if frozenset(way) in told:
            continue
        told.add(frozenset(way))
        steps = [step.model for step in project.pipelines[name].steps]
        message = "the pipeline names itself as a step; take that step out"
        if len(way) > 1:
            message = (
                f"the pipeline is a step of itself: {' -> '.join((*way, name))}; take one of these steps out"
            )
        yield Finding(("pipelines", name, "steps", steps.index((*way, name)[1])), message)


def _in_circles(pipelines: Mapping[str, Pipeline]) -> Mapping[str, tuple[str, ...]]:
    """Return, for each pipeline that leads back to itself, the way it takes, itself first."""
    ways = {name: _way_back(pipelines, name, (name,)) for name in pipelines}
    return {name: way for name, way in ways.items() if way is not None}


def _way_back(pipelines: Mapping[str, Pipeline], start: str, way: tuple[str, ...]) -> tuple[str, ...] | None:
    for model in wiring.models_of(pipelines[way[-1]]):
        if model == start:
            return way
        if model in pipelines and model not in way:
            found = _way_back(pipelines, start, (*way, model))
            if found is not None:
                return found
    return None


def _inside_out(pipelines: Mapping[str, Pipeline], clear: Collection[str]) -> list[str]:
    """Return the pipelines, each after those of `clear` that are steps of it; in a circle none is."""
    done: list[str] = []
    left = list(pipelines)
    while left:
        waits = {name: {*wiring.models_of(pipelines[name])} & ({*left} & {*clear}) for name in left}
        ready = next((name for name in left if not waits[name]), left[0])
        done.append(ready)
        left.remove(ready)
    return done
