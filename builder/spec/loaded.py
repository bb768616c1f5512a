"""A source in memory. torch's types are Any here: this layer is imported by a `trb --help` that must not know torch."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from builder.spec.artifact import Provenance
from builder.spec.project import Axis, Model
from builder.spec.tensors import Signature

Feed = Mapping[str, Any]
"""Inputs or outputs by name, as numpy arrays (strings as object arrays of bytes)."""

Runner = Callable[[Feed], dict[str, Any]]
"""Runs a model once, in-process: inputs by name in, outputs by flattened name out, all numpy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fingerprint:
    """All that a build depended on; when none of it changed, nothing is built."""

    entry_sha256: str
    """Over the model's entry in trb.yaml (every value, defaults included), its name and the target release."""
    served_sha256: str = ""
    """As `entry_sha256`, over that part of the entry that shapes what is served: tolerances, budget, samples and
    promises about the outputs are left out."""
    files: Mapping[str, str]
    """sha256 by path, of every module outside site-packages imported, and every file opened, while the source loaded
    (weights and samples included). Paths are relative to the folder of trb.yaml where they lie below it."""
    packages: Mapping[str, str]
    """Versions of python, trb and every package an exported byte can depend on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PythonCode:
    """What a Python function needs of the user to run elsewhere."""

    modules: Mapping[str, Path]
    """Its own modules by the paths that they are imported from, such as `steps/text.py`."""
    files: Mapping[str, Path]
    """Its data files, by their paths from the folder of trb.yaml."""
    packages: Mapping[str, str]
    """The versions installed here of its requirements and of all that those need, numpy left out; none of what the
    target's Python alone needs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """A source, ready to be exported and to answer as the reference."""

    name: str
    model: Model
    """The entry, with what its samples tell; sizes are those that are run."""
    declared: Mapping[str, Axis] = field(default_factory=dict)
    """The sizes as trb.yaml has them, of the axes that it gives sizes; a file must take them all."""
    kind: Literal["module", "program", "torchscript", "onnx", "python", "pipeline"]
    module: Any = None
    """An nn.Module in eval mode: `forward` takes the inputs positionally in signature order and returns a flat tuple of
    tensors in signature order. For kind `torchscript` the ScriptModule, for `program` the unflattened module."""
    original: Any = None
    """The user's own module, as the callable gave it (eval mode); `module` may wrap it."""
    program: Any = None
    """torch.export.ExportedProgram of a .pt2 source."""
    path: Any = None
    """pathlib.Path of the source file, for .pt2, .pt and .onnx."""
    python: PythonCode | None = None
    """Of a Python function."""
    labels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The names of the classes, by the name of an output that has them."""
    signature: Signature
    """Full shapes with axis names. An output's axes are found by running the reference at several sizes."""
    bind: Literal["name", "position"] = "position"
    """Whether the input names are `forward`'s argument names."""
    reference: Runner
    """eager PyTorch; the file in torch for .pt and .pt2; ONNX Runtime with optimisation off for .onnx; the Python
    function itself."""
    reference_name: str
    runners: Mapping[str, Runner] = field(default_factory=dict)
    """Of a pipeline: the reference of each step's model, by its name in the repository."""
    samples: Feed | None = None
    """Real inputs, first axis = samples."""
    provenance: Provenance
    fingerprint: Fingerprint
    not_proven: tuple[str, ...] = ()
    """What no proof runs although trb.yaml allows it, one sentence each."""
    notes: tuple[str, ...] = field(default=())
