"""Reports as the stages give them."""

from dataclasses import replace

import pytest

from builder.spec.project import Backend, Tolerance
from builder.spec.results import (
    Against,
    Apart,
    BuildReport,
    BuiltModel,
    CheckReport,
    Comparison,
    Hop,
    LoadPoint,
    ModelCheck,
    ModelPerf,
    OutputGap,
    PerfReport,
    RanOn,
    ServerSplit,
)

TOLERANCE = Tolerance(rtol=1e-3, atol=1e-5)
RAN_ON = RanOn(
    server="2.51.0",
    runtime="onnxruntime 1.19.2 (stand-in)",
    local={"torch": "2.13.0+cpu", "onnxruntime": "1.32.0"},
    target={"server": "2.51.0", "onnxruntime": "1.19.2", "torch": "2.5"},
    not_proven=("in Triton's own onnxruntime backend: our stand-in ran in its place",),
)


def hop(name: str, *gaps: OutputGap, problem: str = "") -> Hop:
    return Hop(name=name, comparisons=(Comparison(case="random batch=3", outputs=gaps),), problem=problem)


def good() -> OutputGap:
    return OutputGap(name="probs", passed=True, compared=30, max_abs=3e-7, tolerance=TOLERANCE)


def bad() -> OutputGap:
    return OutputGap(
        name="probs",
        passed=False,
        compared=30,
        problem="at [2, 7] want 0.25, got 0.75; 1 of 30 elements are beyond rtol 0.001, atol 1e-05",
        max_abs=0.5,
        worst_index=(2, 7),
        needed_rtol=2.0,
        needed_atol=0.49975,
        tolerance=TOLERANCE,
    )


def model(*hops: Hop, **changes) -> ModelCheck:
    facts = {"model": "digits_onnx", "version": 3, "reference": "eager PyTorch", "ran_on": RAN_ON}
    return ModelCheck(**{**facts, "hops": hops, **changes})


@pytest.fixture
def passing() -> CheckReport:
    hops = (hop("PyTorch -> model.onnx", good()), hop("model.onnx -> gRPC", good()))
    return CheckReport(models=(model(*hops, largest_batch=8),), server="embedded Triton 2.51.0")


@pytest.fixture
def failing() -> CheckReport:
    hops = (hop("PyTorch -> model.onnx", good()), hop("model.onnx -> gRPC", bad()))
    return CheckReport(models=(model(*hops),), server="embedded Triton 2.51.0")


@pytest.fixture
def against() -> CheckReport:
    """Two servers: the same to the bit over gRPC, apart over HTTP."""
    hops = (
        hop("PyTorch -> model.onnx", good()),
        hop("gRPC -> gRPC (against)", good()),
        hop("HTTP -> HTTP (against)", bad()),
    )
    facts = {"output": "probs", "cases": 1, "tolerance": TOLERANCE}
    nothing = {"max_abs": 0.0, "max_rel": 0.0, "needed_rtol": 0.0, "needed_atol": 0.0}
    outputs = (
        Apart(hop="gRPC -> gRPC (against)", passed=True, bit_identical=True, **facts, **nothing),
        Apart(
            hop="HTTP -> HTTP (against)",
            passed=False,
            bit_identical=False,
            max_abs=0.5,
            max_rel=2.0,
            needed_rtol=2.0,
            needed_atol=0.49975,
            worst_case="random batch=3",
            **facts,
        ),
    )
    other = Against(
        server="Triton 2.54.0 at gpu:8000",
        ran_on=replace(RAN_ON, server="2.54.0", runtime="unknown"),
        outputs=outputs,
        notes=("the live configuration has max_batch_size 4, config.pbtxt has 8",),
    )
    checked = model(*hops, against=other)
    return CheckReport(models=(checked,), server="embedded Triton 2.51.0", against=other.server)


@pytest.fixture
def unbuilt() -> ModelCheck:
    return ModelCheck(model="broken", version=None, problems=("repo has no version of broken; build it",))


@pytest.fixture
def built() -> BuildReport:
    return BuildReport(
        models=(
            BuiltModel(
                name="digits",
                triton_name="digits_onnx",
                backend=Backend.ONNX,
                status="built",
                version=1,
                exporter="torch.export",
                opset=20,
                max_batch_size=64,
                row_gap=0.0,
                parity_worst=3e-7,
                size_bytes=123456,
                seconds=7.25,
            ),
            BuiltModel(
                name="broken",
                triton_name="broken",
                backend=Backend.ONNX,
                status="failed",
                error="aten::foo has no translation",
                fix="use another op",
            ),
        ),
        repository="/somewhere/model_repository",
        seconds=8.0,
    )


@pytest.fixture
def measured() -> PerfReport:
    point = LoadPoint(
        load="concurrency 4",
        batch=1,
        protocol="gRPC",
        engine="perf_analyzer 2.51.0",
        stable=True,
        throughput=1234.5,
        p50_ms=1.5,
        p90_ms=2.5,
        p95_ms=3.5,
        p99_ms=4.5,
        mean_ms=1.75,
        requests=6000,
        errors=0,
        windows=3,
        warmup_s=1.0,
        split=ServerSplit(
            queue_us=100, compute_input_us=10, compute_infer_us=900, compute_output_us=20, average_batch=2.5
        ),
        budgeted=True,
        missed=("p99 4.50 ms is above 4 ms",),
    )
    perf = ModelPerf(model="digits_onnx", version=3, points=(point,), input_data="samples")
    return PerfReport(models=(perf,), server="embedded Triton 2.51.0", machine="2 cores")
