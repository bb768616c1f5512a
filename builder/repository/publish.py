"""A new version appears in one step, with its config and beside the older versions."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from builder.errors import RepositoryError, SignatureChanged
from builder.repository import disk
from builder.repository.faults import said_plainly
from builder.repository.layout import CONFIG, STAGED_VERSION, WARMUP, model_folder
from builder.repository.read import Published, latest, versions
from builder.repository.record import complete, file_hashes, files_below, record_text
from builder.repository.signature import breaks
from builder.spec.hashing import file_sha256
from builder.spec.record import RECORD_NAME, VersionRecord

_FILE_MODE = 0o644
_FOLDER_MODE = 0o755


def publish(
    repository: Path,
    triton_name: str,
    staged: Path,
    record: VersionRecord,
    *,
    allow_new_signature: bool = False,
) -> Published:
    """Make what lies in `staged` the newest version of a model, whatever is killed when.

    The whole new model folder is made aside, older versions as hard links, and takes the old one's place by one
    atomic exchange. Files and config equal to those of the newest version make no new one. `staged` is used up,
    also by a failure. Call it with the lock held.

    Args:
        repository: the repository's root; made if need be.
        triton_name: the model's name in it.
        staged: a folder of `stage`, filled.
        record: the facts; `version`, `files` and `config_sha256` are filled in here.
        allow_new_signature: publish although it breaks the clients of the newest version.

    Raises:
        SignatureChanged: it would break them.
        RepositoryError: a model folder with nothing of ours, a full or read-only disk, a filesystem without exchange.
    """
    needed = sum(path.stat().st_size for path in files_below(staged).values())
    try:
        with said_plainly(repository.absolute(), needed_bytes=needed):
            return _publish(repository, triton_name, staged, record, allow_new_signature)
    finally:
        _clear(staged)


def require_publishable(repository: Path, triton_name: str, record: VersionRecord) -> None:
    """Check that a version would not break the clients of the newest one, before anything else is published.

    Raises:
        SignatureChanged: it would.
        RepositoryError: a model folder with nothing of ours.
    """
    if model_folder(repository, triton_name).exists():
        _require_compatible(_newest_of_ours(repository, triton_name), record)


def _publish(
    repository: Path, triton_name: str, staged: Path, record: VersionRecord, allowed: bool
) -> Published:
    whole = complete(record, staged / STAGED_VERSION, staged / CONFIG)
    if not model_folder(repository, triton_name).exists():
        return _first(repository, triton_name, staged, whole)
    ours, highest = _newest_of_ours(repository, triton_name), latest(repository, triton_name)
    if ours == highest and _is_same(ours, staged, whole):
        return ours
    if not allowed:
        _require_compatible(ours, whole)
    return _next(highest, staged, whole)


def _first(repository: Path, triton_name: str, staged: Path, record: VersionRecord) -> Published:
    model = model_folder(repository, triton_name)
    model.parent.mkdir(parents=True, exist_ok=True)
    _make_version(staged, 1, record)
    _appear(staged, model, disk.move)
    return Published(triton_name=triton_name, version=1, folder=model / "1", changed=True)


def _next(highest: Published, staged: Path, record: VersionRecord) -> Published:
    model, number = highest.folder.parent, highest.version + 1
    _make_version(staged, number, record)
    _take_along(model, staged)
    _appear(staged, model, disk.exchange)
    return replace(highest, version=number, folder=model / str(number), changed=True)


def _newest_of_ours(repository: Path, triton_name: str) -> Published:
    """Return the newest version that has a record.

    Raises:
        RepositoryError: the folder was not made by trb, or the record cannot be read.
    """
    recorded = [one for one in versions(repository, triton_name) if one.is_recorded]
    if not recorded:
        raise RepositoryError(
            f"{model_folder(repository, triton_name)} exists and trb did not make it: no version of it has a "
            f"{RECORD_NAME}",
            fix="give the model another name in trb.yaml, or move that folder out of the repository",
        )
    _ = recorded[-1].record  # raises where it cannot be read
    return recorded[-1]


def _is_same(newest: Published, staged: Path, record: VersionRecord) -> bool:
    """Return whether the newest version, as it lies on the disk, has these bytes already and is no copy of another.

    The record is not compared: a new commit or a new package that leads to the same bytes is no new version.
    """
    model = newest.folder.parent
    return (
        newest.is_in_place
        and newest.record.files == record.files
        and newest.record.config_sha256 == record.config_sha256
        and (model / CONFIG).is_file()
        and file_sha256(model / CONFIG) == record.config_sha256
        and all(_is_there(model / name, sha256) for name, sha256 in _beside(staged).items())
        and file_hashes(newest.folder) == record.files
    )


def _beside(staged: Path) -> dict[str, str]:
    """Return the sha256 of what is to lie beside the version folders: the data of the warmup, labels."""
    found = file_hashes(staged)
    return {
        name: sha256
        for name, sha256 in found.items()
        if name != CONFIG and not name.startswith(f"{STAGED_VERSION}/")
    }


def _is_there(path: Path, sha256: str) -> bool:
    return path.is_file() and file_sha256(path) == sha256


def _require_compatible(newest: Published, record: VersionRecord) -> None:
    if differences := breaks(newest.record, record):
        lines = "\n".join(f"  {line}" for line in differences)
        raise SignatureChanged(
            f"the new {newest.triton_name} would break the clients of its version {newest.version}:\n{lines}",
            fix="publish it under a new name; or set `allow_new_signature: true` on its entry in trb.yaml; "
            "or restore the old inputs and outputs",
        )


def _make_version(staged: Path, number: int, record: VersionRecord) -> None:
    """Turn a stage into a model folder, each file of it on the disk itself."""
    numbered = replace(record, version=number)
    disk.write_text(staged / STAGED_VERSION / RECORD_NAME, record_text(numbered))
    disk.move(staged / STAGED_VERSION, staged / str(number))
    _readable_by_the_server(staged)
    disk.keep_tree(staged)


def _readable_by_the_server(folder: Path) -> None:
    """Exporters that write through temporary files leave them to their owner alone."""
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            path.chmod(_FOLDER_MODE if path.is_dir() else _FILE_MODE)


def _take_along(model: Path, staged: Path) -> None:
    """Link the older versions, and whatever someone put beside them, into the new folder.

    Old warmup data too: a server that has read the old config may be about to read it.
    """
    for entry in sorted(model.iterdir()):
        if entry.name == CONFIG:
            continue
        if entry.name == WARMUP:
            _take_warmup_along(entry, staged / WARMUP)
        elif (staged / entry.name).exists():
            continue  # the new one counts
        elif entry.is_dir() and not entry.is_symlink():
            disk.link_tree(entry, staged / entry.name)
            disk.keep(staged / entry.name)
        else:
            disk.link(entry, staged / entry.name)
    disk.keep(staged)


def _take_warmup_along(old: Path, new: Path) -> None:
    new.mkdir(exist_ok=True)
    for entry in sorted(old.iterdir()):
        if not (new / entry.name).exists():
            disk.link(entry, new / entry.name)
    disk.keep(new)


def _appear(staged: Path, model: Path, step: Callable[[Path, Path], None]) -> None:
    step(staged, model)
    disk.keep(model.parent)
    disk.keep(staged.parent)


def _clear(staged: Path) -> None:
    """Remove what is left of a stage: after an exchange, the old model folder."""
    try:
        disk.remove(staged)
    except OSError:
        return  # what was published stands all the same, and the next build's `recover` tries again
