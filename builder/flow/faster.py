"""`fuse: auto`: both forms of a pipeline on one live server, and the faster of the two."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Final, Literal

from builder.config.ensemble import make_ensemble
from builder.config.render import render
from builder.errors import ExportError, MissingTool
from builder.flow.linted import lay_out
from builder.perf import Load, Plan, Settings, Wish, measure, plan
from builder.server import Endpoint, Serving, open_server
from builder.spec.loaded import Loaded
from builder.spec.pipeline import Wired
from builder.spec.releases import Release
from builder.spec.results import FormFigures, FusePick, LoadPoint

Form = Literal["fused", "steps"]

_LOADS: Final = (Load(concurrency=4), Load(concurrency=1))
_ROUNDS: Final = 3
_SETTINGS: Final = Settings(window_s=1.0, max_windows=1, warmup_s=0.3)


def faster(
    loaded: Loaded,
    forms: Mapping[Form, Wired],
    stages: Mapping[str, Path],
    *,
    root: Path,
    release: Release,
    logs: Path,
) -> FusePick:
    """Return which form answers more requests, and the figures of both.

    The forms take turns, so that what else the machine does meets both; each figure is the median of its turns.

    Args:
        loaded: the pipeline; its samples are what is sent.
        forms: the pipeline with merged models, and with each step a model.
        stages: of the merged models, by name in the repository.
        root: the repository, which has the steps' own models.
        release: the target.
        logs: where the server's log is kept.

    Raises:
        MissingTool: this machine cannot run the embedded server.
        ServerError: it does not load one of the forms.
        ExportError: requests failed in both forms.
    """
    work = plan(loaded.model, loaded.samples, Wish(), _LOADS, engine="trb", settings=_SETTINGS)
    with TemporaryDirectory(dir=next(iter(stages.values())).parent) as room:
        folders = _lay_out(Path(room), forms, stages, root)
        both = tuple(folder.parent.name for folder in folders.values())
        serving = Serving(repository=Path(room), release=release, models=both, log_dir=logs)
        try:
            with open_server("embedded", serving) as endpoint:
                figures = _measured(folders, endpoint, work)
        except MissingTool as error:
            raise MissingTool(
                f"`fuse: auto` measures on a live Triton: {error.what}",
                fix="say `fuse: true` or `fuse: false`",
            ) from error
    return pick(loaded.name, figures["fused"], figures["steps"])


def pick(name: str, fused: FormFigures, steps: FormFigures) -> FusePick:
    """Return the form that answers more requests; one that failed any has lost.

    Raises:
        ExportError: both failed some.
    """
    if fused.errors and steps.errors:
        raise ExportError(
            f"{name}: requests failed in both forms, {fused.errors} of merged and {steps.errors} of single steps",
            fix="say `fuse: false`, build, and let `trb check` say where",
        )
    quicker = fused.rows_per_s >= steps.rows_per_s
    kept: Form = "fused" if not fused.errors and (quicker or steps.errors) else "steps"
    return FusePick(kept=kept, fused=fused, steps=steps)


def _lay_out(
    room: Path, forms: Mapping[Form, Wired], stages: Mapping[str, Path], root: Path
) -> Mapping[Form, Path]:
    """Make a repository of both forms; return the version folder of each."""
    for name, stage in stages.items():
        lay_out(stage, room / name)
    for model in root.iterdir():
        if model.is_dir() and model.name not in (*stages, forms["fused"].name):
            (room / model.name).symlink_to(model.absolute())
    return {form: _ensemble(room, form, wired) for form, wired in forms.items()}


def _ensemble(room: Path, form: Form, wired: Wired) -> Path:
    name = next(one for one in _names(wired.name, form) if not (room / one).exists())
    version = room / name / "1"
    version.mkdir(parents=True)
    config = make_ensemble(replace(wired, name=name))
    (room / name / "config.pbtxt").write_text(render(config), encoding="utf-8")
    return version


def _names(pipeline: str, form: Form) -> Iterator[str]:
    number = 0
    while True:
        yield f"{pipeline[:150]}_{form}_{number}"
        number += 1


def _measured(folders: Mapping[Form, Path], endpoint: Endpoint, work: Plan) -> Mapping[Form, FormFigures]:
    turns: dict[Form, list[Sequence[LoadPoint]]] = {form: [] for form in folders}
    for _ in range(_ROUNDS):
        for form, folder in folders.items():
            turns[form].append(measure(folder, endpoint, work).points)
    return {form: _figures(points) for form, points in turns.items()}


def _figures(turns: Sequence[Sequence[LoadPoint]]) -> FormFigures:
    crowd, alone = zip(*turns, strict=True)
    return FormFigures(
        rows_per_s=median(point.throughput for point in crowd),
        p50_ms=median(point.p50_ms for point in alone),
        errors=sum(point.errors for points in turns for point in points),
    )
