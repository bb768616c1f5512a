"""What an export leaves behind, and what is proven about it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from builder.spec.project import Backend
from builder.spec.tensors import Signature


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact:
    """An exported file that has passed its format's own checks."""

    backend: Backend
    folder: Path
    """The folder to become the version folder; it holds the file and, for large ONNX models, its external data."""
    exporter: str
    """How it was made: torch.export, legacy, trace, script, copied; merged: of the files of several steps."""
    opset: int | None = None
    ir_version: int | None = None
    signature: Signature
    """Inputs and outputs as the *file* has them; dynamic axes by their spec names."""
    notes: tuple[str, ...] = ()
    """What happened on the way: tracer warnings, exporters that failed before this one."""

    @property
    def path(self) -> Path:
        """The model file itself."""
        return self.folder / self.backend.filename


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchProof:
    """What running the exported file has shown about its batch axis."""

    max_batch_size: int
    """0: Triton must not batch it."""
    reason: str
    """Why, in one sentence; it stands in the record and, when 0, on the terminal."""
    sizes: tuple[Mapping[str, int], ...]
    """Every combination of axis sizes that was run."""
    row_gap: float | None = None
    """Largest change of a row when its neighbours were replaced; 0.0 is bit-equal, None: not tested (no batch axis)."""
    concat_gap: float | None = None
    """Largest absolute difference of f(concat(a, b)) from concat(f(a), f(b)); None: not tested."""
    joins_requests: bool = True
    """Whether rows of several requests may meet in one call; False: a Python function that mixes rows, which gets each
    request as it came."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """Deterministic facts about where a model came from."""

    source: str
    source_sha256: str
    """Over the source files that were read while loading, by project-relative path and content, and over the user's
    modules elsewhere, by name and content."""
    weights_sha256: str
    """Over the names, dtypes, shapes and bytes of all parameters and buffers, or over the source file and its data."""
    git_commit: str | None = None
    """`<sha>-dirty` where tracked files below the folder of trb.yaml are not as the commit has them."""
    packages: Mapping[str, str] = field(default_factory=dict)
    """Versions of python, torch, onnx, onnxruntime, numpy, trb."""
