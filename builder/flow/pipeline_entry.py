"""A pipeline of the repository as loading takes it."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from builder.flow.live import MadeOf
from builder.flow.parts import Parts
from builder.flow.served_files import open_served
from builder.spec.loaded import Runner
from builder.spec.pipeline import Wired
from builder.spec.project import Pipeline, ReadProject

if TYPE_CHECKING:
    from builder.loading.pipeline import Entry


def entry_of(read: ReadProject, name: str, made_of: MadeOf) -> "Entry":
    """Return a pipeline as its newest version is made."""
    threads = len(os.sched_getaffinity(0))
    return entry(
        name, made_of.pipeline, made_of.note.written, made_of.parts, root=read.repository, threads=threads
    )


def entry(name: str, pipeline: Pipeline, wired: Wired, parts: Parts, *, root: Path, threads: int) -> "Entry":
    """Return a pipeline and what runs it."""
    from builder.loading.pipeline import Entry

    return Entry(
        name=name,
        pipeline=pipeline,
        wired=wired,
        models=parts.models,
        inner=parts.inner,
        files=_foreign(parts, root, threads),
        versions=parts.versions,
    )


def _foreign(parts: Parts, root: Path, threads: int) -> Mapping[str, Runner]:
    """Return what runs the steps that trb.yaml has no source of: their own files are their reference."""
    here = {**parts.models, **parts.inner}
    return {name: open_served(root, name, threads=threads) for name in parts.parts if name not in here}
