"""What is wrong with the pipelines of trb.yaml: their names, their steps' models, and how the steps are joined."""

from collections.abc import Iterator, Mapping
from pathlib import Path as FilePath

from builder import wiring
from builder.readspec import limits
from builder.readspec.finding import Finding, moved
from builder.readspec.shapes import close_match
from builder.spec.names import LONGEST_NAME, NAME_RULE, is_model_name, names_callable
from builder.spec.project import Pipeline, Project, triton_names
from builder.wiring import Known


def pipelines(project: Project, repository: FilePath) -> Iterator[Finding]:
    """Yield every mistake of the pipelines.

    Args:
        project: what was read.
        repository: the model repository; a step may name a model that lies there already.
    """
    known = _models(project)
    circles = _in_circles(project.pipelines)
    for name in _inside_out(project.pipelines, circles):
        pipeline = project.pipelines[name]
        here = ("pipelines", name)
        found = (*_name(project, name), *_own(pipeline), *_steps(project, name, repository))
        yield from (moved(finding, here) for finding in found)
        if name in circles:
            yield moved(_circle(name, circles[name]), here)
            continue
        needs = tuple(("models", model) for model in _spec_models(project, pipeline))
        for mistake in wiring.mistakes(pipeline, known):
            yield Finding((*here, *mistake.path), mistake.message, needs)
        known[name] = wiring.as_step(pipeline, known)


def _models(project: Project) -> dict[str, Known]:
    return {
        triton_name: wiring.of_spec(model, backend)
        for name, model in project.models.items()
        for backend, triton_name in triton_names(name, model).items()
    }


def _spec_models(project: Project, pipeline: Pipeline) -> Iterator[str]:
    owners = {t: name for name, model in project.models.items() for t in triton_names(name, model).values()}
    return (owners[name] for name in wiring.models_of(pipeline) if name in owners)


def _name(project: Project, name: str) -> Iterator[Finding]:
    taken = _models(project)
    if not is_model_name(name) or len(name) > LONGEST_NAME:
        yield Finding((), f"Triton would refuse the name; {NAME_RULE}", stands=True)
    if name in taken or name in project.models:
        yield Finding((), f"a model is called `{name}` too; give one of the two another name", stands=True)
    merged = f"{name}_fused"
    if project.pipelines[name].fuse is not False and (merged in taken or merged in project.pipelines):
        message = f"its merged steps would be called `{merged}`, as another entry is; rename one, or say `fuse: false`"
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
                ("outputs", name, "labels"), "labels belong to the output of the model that gives it"
            )
    yield from limits.pipeline_numbers(pipeline)


def _steps(project: Project, name: str, repository: FilePath) -> Iterator[Finding]:
    """Yield the steps whose model is nowhere."""
    models = _models(project)
    for place, step in enumerate(project.pipelines[name].steps):
        here = ("steps", place, "model")
        if step.model in models or step.model in project.pipelines:
            continue
        if step.model in project.models:
            called = " and ".join(triton_names(step.model, project.models[step.model]).values())
            yield Finding(here, f"`{step.model}` is served as {called}; name one of them")
        elif not (is_model_name(step.model) and (repository / step.model / "config.pbtxt").is_file()):
            there = [*models, *(other for other in project.pipelines if other != name)]
            where = f"neither trb.yaml nor {repository} has a model `{step.model}`"
            yield Finding(here, f"{where}{close_match(step.model, there)}")


def _circle(name: str, way: tuple[str, ...]) -> Finding:
    if way == (name,):
        return Finding(("steps",), "the pipeline names itself as a step; take that step out")
    return Finding(("steps",), f"the pipeline is a step of itself: {' -> '.join((name, *way[1:], name))}")


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


def _inside_out(pipelines: Mapping[str, Pipeline], circles: Mapping[str, tuple[str, ...]]) -> list[str]:
    """Return the pipelines, each after those that are steps of it; those in circles first."""
    done = dict.fromkeys(circles)
    left = [name for name in pipelines if name not in circles]
    while left:
        ready = next(name for name in left if not {*wiring.models_of(pipelines[name])} & ({*left} - {name}))
        done[ready] = None
        left.remove(ready)
    return list(done)
