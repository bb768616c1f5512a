"""What is written about a published version: deterministic facts in its folder, live ones outside the repository."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from builder.spec.artifact import BatchProof, Provenance
from builder.spec.results import Hop
from builder.spec.tensors import Signature

RECORD_NAME = "record.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionRecord:
    """`<model>/<version>/record.json`: facts that the same build writes again to the byte. No time, host or path."""

    model: str
    version: int = 0
    """The number it was published under; 0: not published yet, or by a trb that did not write it down."""
    backend: str
    triton: str
    exporter: str
    opset: int | None = None
    ir_version: int | None = None
    signature: Signature
    batch: BatchProof
    row_tolerance: float = 0.0
    """Above 0: row mixing up to this was accepted knowingly."""
    provenance: Provenance
    offline_parity: Hop
    files: Mapping[str, str] = field(default_factory=dict)
    """sha256 by path of every other file of the version folder."""
    config_sha256: str = ""
    """Of the config.pbtxt it was published with."""
    notes: tuple[str, ...] = ()
