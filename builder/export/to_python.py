"""A Python function as files: its source, what it needs, and the model.py that Triton's Python backend runs."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from platform import python_version
from typing import Any, Final

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from builder.assets import template
from builder.errors import ExportError
from builder.export.python_wheels import put_packages
from builder.export.refusals import refuse_dtypes
from builder.runtimes import python_step
from builder.spec.artifact import Artifact
from builder.spec.loaded import Loaded
from builder.spec.project import Backend, PythonOptions
from builder.spec.releases import Release
from builder.spec.tensors import Tensor

STEP: Final = "trb_step.py"
"""The copy of `builder.runtimes.python_step` beside model.py."""


def export(loaded: Loaded, *, into: Path, release: Release, log: Path | None) -> Artifact:  # noqa: ARG001 - as every exporter
    """Write `loaded` as model.py with all that it needs beside it.

    Raises:
        ExportError: Triton's Python backend does not carry a dtype, or the source is no function.
        MissingTool: a package cannot be fetched.
    """
    if loaded.python is None:
        raise ExportError(f"{loaded.name}: `backend: python` serves a Python function, not {loaded.kind}")
    refuse_dtypes(loaded.signature, Backend.PYTHON, release)
    (into / Backend.PYTHON.filename).write_text(_model(loaded), encoding="utf-8", newline="\n")
    shutil.copyfile(python_step.__file__, into / STEP)
    _copy(loaded.python.modules, into / python_step.CODE)
    _copy(loaded.python.files, into / python_step.FILES)
    others = _put_packages(loaded.python.packages, loaded.model.python, release, into)
    return Artifact(
        backend=Backend.PYTHON,
        folder=into,
        exporter="copied",
        signature=loaded.signature,
        notes=(*_notes(release), *others),
    )


def _put_packages(
    packages: Mapping[str, str], options: PythonOptions, release: Release, into: Path
) -> tuple[str, ...]:
    if not packages:
        return ()
    named = {canonicalize_name(Requirement(text).name) for text in options.requirements}
    return put_packages(packages, named, release, into=into / f"python{release.python}")


def _notes(release: Release) -> tuple[str, ...]:
    ran = python_version()
    if ran.startswith(f"{release.python}."):
        return ()
    return (f"not proven on Python {release.python}, which Triton {release.name} has: {ran} ran",)


def _copy(files: Mapping[str, Path], folder: Path) -> None:
    for name, source in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, folder / name)


def _model(loaded: Loaded) -> str:
    text = template("model.py.j2", py=repr).render(
        name=loaded.name,
        source=loaded.model.source,
        call=loaded.model.python.call,
        batch=loaded.model.batching.axis,
        inputs=[_plain(one) for one in loaded.signature.inputs],
        outputs=[_plain(one) for one in loaded.signature.outputs],
    )
    compile(text, "model.py", "exec")
    return text


def _plain(tensor: Tensor) -> Mapping[str, Any]:
    return {"name": tensor.name, "dtype": tensor.dtype.value, "shape": tuple(tensor.shape)}
