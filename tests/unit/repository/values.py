"""Records and stages to publish, without a model."""

from pathlib import Path

from builder import repository
from builder.repository import Published
from builder.spec.artifact import BatchProof, Provenance
from builder.spec.dtypes import DType
from builder.spec.record import VersionRecord
from builder.spec.results import Comparison, Hop, OutputGap
from builder.spec.tensors import Signature, Tensor

X = Tensor(name="x", dtype=DType.FP32, shape=("batch", 4))
Y = Tensor(name="y", dtype=DType.FP32, shape=("batch",))


def record(
    inputs: tuple[Tensor, ...] = (X,),
    outputs: tuple[Tensor, ...] = (Y,),
    *,
    max_batch_size: int = 8,
    git_commit: str | None = None,
) -> VersionRecord:
    gap = OutputGap(
        name="y", passed=True, compared=3, max_abs=1e-7, worst_index=(2,), needed_rtol=float("inf")
    )
    return VersionRecord(
        model="m",
        backend="onnxruntime",
        triton="24.10",
        exporter="torch.export",
        opset=20,
        ir_version=10,
        signature=Signature(inputs=inputs, outputs=outputs),
        batch=BatchProof(
            max_batch_size=max_batch_size, reason="rows are alone", sizes=({"batch": 2},), row_gap=0.0
        ),
        provenance=Provenance(source="a:b", source_sha256="5e", weights_sha256="e1", git_commit=git_commit),
        offline_parity=Hop(
            name="PyTorch -> model.onnx", comparisons=(Comparison(case="random batch=2", outputs=(gap,)),)
        ),
        notes=("größe",),
    )


def fill(stage: Path, weights: str, *, config: str = 'name: "m"\n', warmup: str | None = "row") -> Path:
    (stage / "version" / "data").mkdir(parents=True)
    (stage / "version" / "model.onnx").write_text("graph")
    (stage / "version" / "data" / "weights").write_text(weights)
    (stage / "config.pbtxt").write_text(config)
    if warmup is not None:
        (stage / "warmup").mkdir()
        (stage / "warmup" / "0_x").write_text(warmup)
    return stage


def publish(root: Path, weights: str, new: VersionRecord | None = None, **files: str) -> Published:
    """Stage and publish a version of `m` that consists of `weights`."""
    return repository.publish(root, "m", fill(repository.stage(root, "m"), weights, **files), new or record())


def tree(folder: Path) -> dict[str, str]:
    """Every file below a folder, by path."""
    return {
        str(path.relative_to(folder)): path.read_text()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
