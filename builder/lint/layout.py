"""Folders and files that Triton takes for something else than they are, or not at all."""

import difflib
import re
from collections.abc import Iterator
from typing import Final

from builder.lint.folder import CONFIG, LARGEST, Folder, version_of
from builder.rules.fill import FILENAMES
from builder.rules.refusal import Refusal

_LIKE_A_VERSION: Final = re.compile(r"(v|version)?[-_]?\d+", re.IGNORECASE | re.ASCII)


def refusals(folder: Folder) -> list[Refusal]:
    """Return what is wrong with the names of what stands in a model's folder."""
    return [*_dangling(folder), *_folders(folder), *_files(folder)]


def is_no_model(folder: Folder) -> bool:
    """Return whether nothing in a folder of a repository says that it is meant to be a model."""
    return not (folder.config_path or folder.versions or set(folder.files) & FILENAMES)


def no_model(folder: Folder, said: str) -> Refusal:
    """Return that the server takes a folder for a model that was never one, and what it says of it."""
    return Refusal(
        f"Triton takes every folder in a repository for a model, and does not start where one fails: {said}",
        code="R108",
        fix=f"move {folder.name} out of the repository",
    )


def _dangling(folder: Folder) -> Iterator[Refusal]:
    for name in folder.dangling:
        if name == CONFIG:
            continue  # which is read anyway, and missed
        yield Refusal(
            f"failed to stat file {name}: it is a link to nowhere, and the server passes over a model that has one",
            code="R110",
            file=name,
            fix="remove the link, or put back what it leads to",
        )


def _folders(folder: Folder) -> Iterator[Refusal]:
    for name in folder.folders:
        version = version_of(name)
        if version is None:
            if folder.versions and _LIKE_A_VERSION.fullmatch(name):
                yield _ignored(name)
        elif not -LARGEST - 1 <= version <= LARGEST:
            yield Refusal(
                f"version {name} is too large a number; a server that reads it ends, with all its models",
                code="R111",
                file=name,
                fix="number the versions 1, 2, 3",
            )
        elif name != str(version) or version < 0:
            yield _mistaken(name, folder.versions[version])


def _ignored(name: str) -> Refusal:
    number = int("".join(re.findall(r"\d", name, re.ASCII)))
    return Refusal(
        f"ignore version directory '{name}': a version's folder is a plain number, without zeros or letters before it",
        kind="surprise",
        code="R104",
        file=name,
        fix=f"rename it to {number}",
    )


def _mistaken(name: str, number: str) -> Refusal:
    return Refusal(
        f"Triton takes the folder '{name}' for version {number}, and looks for its files in '{number}'",
        kind="surprise",
        code="R103",
        file=name,
        fix="rename it so that it does not begin with a number, or move it out of the model's folder",
    )


def _files(folder: Folder) -> Iterator[Refusal]:
    for name in (name for name in folder.files if name not in folder.dangling):
        if name in FILENAMES:
            yield _stray(
                name, "beside the version folders Triton never looks for a model", f"move it into 1/{name}"
            )
        elif version_of(name) is not None and name.isdecimal():
            yield _stray(
                name, "a version is a folder; this is a file", "make it a folder with the model in it"
            )
        elif folder.config_path is None and _is_misspelt(name):
            yield _stray(name, f"the configuration is read from {CONFIG} alone", f"rename it to {CONFIG}")
    for version in folder.versions.values():
        if (folder.path / version / CONFIG).is_file():
            yield _stray(
                f"{version}/{CONFIG}",
                "a configuration in a version's folder is not read",
                "move it into the model's folder",
            )


def _is_misspelt(name: str) -> bool:
    return name.startswith("config.") or bool(difflib.get_close_matches(name.lower(), [CONFIG], cutoff=0.8))


def _stray(name: str, what: str, fix: str) -> Refusal:
    return Refusal(f"{name}: {what}", kind="surprise", code="R109", file=name, fix=fix)
