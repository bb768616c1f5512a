"""What the last build depended on and left behind, so that the next can tell that nothing changed."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from builder.repository import disk
from builder.repository.faults import said_plainly
from builder.repository.layout import CONFIG, LABELS, WARMUP, model_folder, state_file, version_numbers
from builder.repository.read import Published
from builder.repository.record import files_below
from builder.spec.loaded import Fingerprint
from builder.spec.plain import dump, from_plain


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """One version that a build left in the repository."""

    triton_name: str
    version: int
    stats: Mapping[str, tuple[int, int]]
    """Size in bytes and modification time in nanoseconds of the version's files, of config.pbtxt, labels and warmup
    data, by path in the model's folder: enough to notice an edit without reading gigabytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """The last build of one model of the spec."""

    fingerprint: Fingerprint
    versions: tuple[Left, ...]


def save_state(repository: Path, name: str, fingerprint: Fingerprint, published: Sequence[Published]) -> None:
    """Remember a build of the spec's model `name`.

    Raises:
        RepositoryError: the state cannot be written.
    """
    state = State(fingerprint=fingerprint, versions=tuple(_left(one) for one in published))
    path = state_file(repository, name)
    with said_plainly(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        aside = path.with_suffix(".new")
        disk.write_text(aside, dump(state))
        disk.keep(aside)
        aside.replace(path)


def load_state(repository: Path, name: str) -> State | None:
    """Return what the last build of the spec's model `name` left; None: never built, or the file is damaged."""
    try:
        return from_plain(State, json.loads(state_file(repository, name).read_text(encoding="utf-8")))
    except (OSError, TypeError, ValueError):
        return None


def is_intact(repository: Path, state: State) -> bool:
    """Return whether every version of `state` is the newest of its model and untouched since."""
    return bool(state.versions) and all(_is_untouched(repository, left) for left in state.versions)


def _is_untouched(repository: Path, left: Left) -> bool:
    model = model_folder(repository, left.triton_name)
    try:
        return version_numbers(model)[-1:] == (left.version,) and _stats(model, left.version) == left.stats
    except OSError:
        return False


def _left(published: Published) -> Left:
    stats = _stats(published.folder.parent, published.version)
    return Left(triton_name=published.triton_name, version=published.version, stats=stats)


def _stats(model: Path, version: int) -> dict[str, tuple[int, int]]:
    beside = {path.name: path for path in (model / CONFIG, *sorted(model.glob(LABELS)))}
    parts = (files_below(model / str(version)), files_below(model / WARMUP), beside)
    found = (path.stat() for part in parts for path in part.values())
    names = (path.relative_to(model).as_posix() for part in parts for path in part.values())
    return {name: (stat.st_size, stat.st_mtime_ns) for name, stat in zip(names, found, strict=True)}
