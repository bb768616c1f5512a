"""Write a group of steps as one model file."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final, Protocol

from builder.export.fused import merged_onnx, merged_torchscript
from builder.export.fused.grouping import Group
from builder.spec.artifact import Artifact
from builder.spec.pipeline import Wired
from builder.spec.project import Backend
from builder.spec.releases import Release


class Merge(Protocol):
    """Merges files of one format."""

    def __call__(
        self, group: Group, wired: Wired, files: Mapping[str, Path], into: Path, release: Release
    ) -> Artifact:
        """Write the steps of `group` as one file into the folder `into`."""


_MERGES: Final[Mapping[Backend, Merge]] = {
    Backend.ONNX: merged_onnx.merge,
    Backend.TORCHSCRIPT: merged_torchscript.merge,
}


def merge(group: Group, wired: Wired, files: Mapping[str, Path], into: Path, release: Release) -> Artifact:
    """Write `group` as one model file, which takes and gives the pipeline's tensors by their names there.

    Args:
        group: one of `groups(wired)`.
        wired: the pipeline.
        files: the model file of each step, by the name of its model.
        into: becomes the version folder; made when it is missing.
        release: the Triton release that must load the file.

    Raises:
        ExportError: the files cannot be one; the steps are named.
    """
    into.mkdir(parents=True, exist_ok=True)
    return _MERGES[Backend.of_triton(group[0].backend)](group, wired, files, into, release)
