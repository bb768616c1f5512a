"""`pipeline.json`, read back."""

import json
from pathlib import Path

from builder.errors import RepositoryError
from builder.spec.pipeline import PipelineNote
from builder.spec.plain import from_plain
from builder.spec.project import Backend


def read_note(version_folder: Path) -> PipelineNote:
    """Return what the version of a pipeline is made of.

    Raises:
        RepositoryError: the file is not there, or cannot be read.
    """
    path = version_folder / Backend.ENSEMBLE.filename
    try:
        return from_plain(PipelineNote, json.loads(path.read_text(encoding="utf-8")))
    except (OSError, TypeError, ValueError) as error:
        raise RepositoryError(
            f"{path} cannot be read: {error}", fix="build the pipeline again: trb build --force"
        ) from error
