"""All that a build depended on, and whether it still holds. No torch: a build of nothing must be quick."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, replace
from importlib import metadata
from pathlib import Path
from platform import python_version
from types import MappingProxyType
from typing import Final

from builder import __version__
from builder.spec.hashing import file_sha256
from builder.spec.loaded import Fingerprint
from builder.spec.project import Backend, Model, Output, Parity, Pipeline

PACKAGES: Final = ("torch", "onnx", "onnxscript", "onnxruntime", "numpy", "tritonclient", "jinja2")
"""Packages that every exported byte can depend on."""


def entry_sha256(name: str, model: Model, triton: str) -> str:
    """Return the hash of all that trb.yaml says of a model, defaults included."""
    entry = json.dumps({"name": name, "triton": triton, "model": asdict(model)}, sort_keys=True, default=str)
    return hashlib.sha256(entry.encode()).hexdigest()


def served_sha256(name: str, model: Model, triton: str) -> str:
    """Return the hash of what trb.yaml says of a model as it is served; see `Fingerprint.served_sha256`."""
    plain = replace(
        model, parity=Parity(), latency=None, samples=None, outputs=_served(model), allow_new_signature=False
    )
    return entry_sha256(name, plain, triton)


def _served(model: Model) -> dict[str, Output]:
    """Return what is served of the outputs' entries: labels, and all that a Python function has for a signature."""
    if Backend.PYTHON in model.backend:
        return {name: replace(output, parity=None) for name, output in model.outputs.items()}
    return {name: Output(labels=output.labels) for name, output in model.outputs.items() if output.labels}


def packages(further: Iterable[str] = ()) -> Mapping[str, str]:
    """Return the versions of python, trb, what exporting uses, and `further` distributions."""
    versions = {"python": python_version(), "trb": __version__}
    for name in (*PACKAGES, *further):
        versions[name] = _version(name)
    return versions


def pipeline_sha256(
    name: str,
    pipeline: Pipeline,
    versions: Mapping[str, str],
    triton: str,
    models: Mapping[str, Model] = MappingProxyType({}),
) -> str:
    """Return the hash of all that trb.yaml says of a pipeline and its steps' `models`, and of the steps' versions."""
    entry = {
        "name": name,
        "triton": triton,
        "pipeline": asdict(pipeline),
        "models": {step: asdict(models[step]) for step in sorted(models)},
        "steps": dict(sorted(versions.items())),
    }
    return hashlib.sha256(json.dumps(entry, sort_keys=True, default=str).encode()).hexdigest()


def pipeline_served_sha256(name: str, pipeline: Pipeline, versions: Mapping[str, str], triton: str) -> str:
    """Return the hash of what trb.yaml says of a pipeline as it is served; see `Fingerprint.served_sha256`."""
    outputs = {name: Output(labels=output.labels) for name, output in pipeline.outputs.items()}
    plain = replace(
        pipeline, outputs=outputs, parity=None, latency=None, samples=None, allow_new_signature=False
    )
    return pipeline_sha256(name, plain, versions, triton)


def still_holds(fingerprint: Fingerprint, *, name: str, model: Model, triton: str, folder: Path) -> bool:
    """Whether a build of `model` now would read exactly what the one of `fingerprint` read."""
    return holds(fingerprint, entry_sha256(name, model, triton), folder)


def holds(fingerprint: Fingerprint, entry: str, folder: Path) -> bool:
    """Whether a build of an entry with the hash `entry` would read exactly what the one of `fingerprint` read."""
    if fingerprint.entry_sha256 != entry:
        return False
    further = (package for package in fingerprint.packages if package not in ("python", "trb", *PACKAGES))
    if dict(fingerprint.packages) != dict(packages(further)):
        return False
    return all(digest(folder / path) == before for path, before in fingerprint.files.items())


def digest(path: Path) -> str:
    """Return the sha256 of a file's content, or over the names in a folder; empty when it cannot be read."""
    try:
        if path.is_dir():
            names = sorted(one.relative_to(path).as_posix() for one in path.rglob("*"))
            return hashlib.sha256("\n".join(names).encode()).hexdigest()
        return file_sha256(path)
    except OSError:
        return ""


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "not installed"
