"""What comparing and measuring found, for the reports."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from builder.errors import BudgetMissed, ExportError, ParityFailed, RepositoryError, TrbError
from builder.spec.project import Backend, Tolerance


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputGap:
    """How far one output is from its reference, over everything compared."""

    name: str
    passed: bool
    compared: int
    """Elements compared; 0 in every comparison of a hop is a failure."""
    problem: str = ""
    """Why it failed, in one sentence with the worst element; empty when it passed."""
    bit_identical: bool = False
    """Whether both answers are the same to the bit: the sign of a zero and the bits of a NaN too."""
    max_abs: float = 0.0
    """Largest absolute error among finite elements."""
    max_rel: float = 0.0
    """Largest error relative to the reference's magnitude, among finite elements."""
    mean_abs: float = 0.0
    p99_abs: float = 0.0
    cosine: float = 1.0
    """Smallest cosine similarity of a row."""
    top_k_agreement: float | None = None
    """Share of rows whose top k agree; None: not asked."""
    worst_index: tuple[int, ...] = ()
    worst_want: float | None = None
    worst_got: float | None = None
    needed_rtol: float = 0.0
    """The rtol that would have passed at the given atol; inf when none would."""
    needed_atol: float = 0.0
    """The atol that would have passed at the given rtol; inf when none would."""
    tolerance: Tolerance = field(default_factory=Tolerance)
    """The tolerance applied, defaults filled in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """One pair of answers to the same inputs."""

    case: str
    """What was fed, such as `random batch=3 seq=17`."""
    outputs: tuple[OutputGap, ...]

    @property
    def passed(self) -> bool:
        """Whether there are outputs and all of them agree."""
        return bool(self.outputs) and all(gap.passed for gap in self.outputs)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hop:
    """One step on the way from PyTorch to the client, over all cases."""

    name: str
    """`PyTorch -> model.onnx`, `model.onnx -> gRPC`, `model.onnx -> HTTP`, `alone -> concurrent`,
    `gRPC -> gRPC (against)`."""
    comparisons: tuple[Comparison, ...]
    problem: str = ""
    """What stopped this hop from being compared at all; empty otherwise."""
    note: str = ""
    """What else is known, such as that all answers were equal to the bit."""

    @property
    def uncompared(self) -> tuple[str, ...]:
        """The outputs of which no comparison had an element, though none failed."""
        gaps = [gap for comparison in self.comparisons for gap in comparison.outputs]
        seen = {gap.name for gap in gaps if gap.compared or not gap.passed}
        return tuple(dict.fromkeys(gap.name for gap in gaps if gap.name not in seen))

    @property
    def passed(self) -> bool:
        """Whether something of every output was compared and all of it agrees."""
        agrees = bool(self.comparisons) and all(one.passed for one in self.comparisons)
        return agrees and not self.problem and not self.uncompared


@dataclass(frozen=True, slots=True, kw_only=True)
class RanOn:
    """The versions that really ran, beside the target's."""

    server: str
    """Version of the server core, such as 2.51.0."""
    runtime: str
    """What executed the model in the server, such as `onnxruntime 1.19.2 (stand-in)`; `unknown` for a URL."""
    local: Mapping[str, str] = field(default_factory=dict)
    """torch and onnxruntime of the in-process hops."""
    target: Mapping[str, str] = field(default_factory=dict)
    """server, onnxruntime and torch of the target release."""
    not_proven: tuple[str, ...] = ()
    """What did not run at all, or not on the target's version, one sentence each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Apart:
    """How far two servers are apart in one output, over all cases of a hop between them."""

    hop: str
    """Its name in the hops of the model."""
    output: str
    passed: bool
    cases: int
    """How many were compared."""
    bit_identical: bool
    """Whether every answer was the same to the bit."""
    max_abs: float
    """Largest absolute error of any case."""
    max_rel: float
    """Largest error relative to the checked server's answer, of any case."""
    needed_rtol: float
    """The rtol that would have passed every case at the given atol; inf when none would."""
    needed_atol: float
    """The atol that would have passed every case at the given rtol; inf when none would."""
    tolerance: Tolerance
    """The tolerance applied."""
    worst_case: str = ""
    """Where they are furthest apart; empty where they are the same to the bit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Against:
    """What another server made of the same inputs, held against the checked one."""

    server: str
    """Such as `Triton 2.51.0 at 127.0.0.1:8000`."""
    ran_on: RanOn
    """The versions that ran there."""
    outputs: tuple[Apart, ...] = ()
    """Each output over each protocol; of a pipeline, those of each step first."""
    notes: tuple[str, ...] = ()
    """Where its live configuration is not the repository's, one sentence each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCheck:
    """The verdict of `trb check` on one served model."""

    model: str
    """Its name in the repository."""
    version: int | None
    """None: there is none to check, and `problems` says why."""
    reference: str = ""
    """What the numbers were compared with: `eager PyTorch`, `TorchScript file in torch`, `ONNX Runtime,
    optimisation off`."""
    hops: tuple[Hop, ...] = ()
    """In order; the first that failed is where the numbers part."""
    ran_on: RanOn | None = None
    """None: nothing ran."""
    against: Against | None = None
    """The other server; None: none was asked. Its hops stand last."""
    largest_batch: int | None = None
    """Largest batch the server formed from concurrent requests; None: batching is off."""
    problems: tuple[str, ...] = ()
    """Failures outside the hops: no batch ever formed, a file that is not the recorded one."""
    seconds: float = 0.0

    @property
    def passed(self) -> bool:
        """Whether every hop compared something and nothing failed."""
        return not self.problems and bool(self.hops) and all(hop.passed for hop in self.hops)

    @property
    def exit_code(self) -> int:
        """The code of its failure; 0 when it passed."""
        return 0 if self.passed else _failure_code(self.version, ParityFailed)

    @property
    def first_failure(self) -> Hop | None:
        """The first hop that diverged."""
        return next((hop for hop in self.hops if not hop.passed), None)


def _failure_code(version: int | None, kind: type[TrbError]) -> int:
    return RepositoryError.exit_code if version is None else kind.exit_code


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckReport:
    """All models of one `trb check`; one that has no version does not take the others along, and stands last."""

    models: tuple[ModelCheck, ...]
    server: str
    """Where it ran: `embedded Triton 2.51.0`, the URL, or `no server`: no model had a version."""
    against: str = ""
    """The other server that was asked the same; empty: none."""

    @property
    def passed(self) -> bool:
        """Whether there was a model, and all passed."""
        return bool(self.models) and all(model.passed for model in self.models)

    @property
    def exit_code(self) -> int:
        """What `trb check` ends with: the code of the first failure."""
        if not self.models:
            return ParityFailed.exit_code
        return next((model.exit_code for model in self.models if not model.passed), 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerSplit:
    """The server's own account of a request, in microseconds on average."""

    queue_us: float
    compute_input_us: float
    compute_infer_us: float
    compute_output_us: float
    average_batch: float
    """Rows per execution: inference_count / execution_count."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadPoint:
    """What one level of load gave."""

    load: str
    """`concurrency 4`, `rate 100/s`."""
    batch: int
    """Rows per request."""
    protocol: str
    """gRPC or HTTP."""
    engine: str
    """`perf_analyzer 2.51.0` or `trb`."""
    stable: bool
    throughput: float
    """Rows per second."""
    p50_ms: float
    p90_ms: float
    p95_ms: float
    p99_ms: float
    mean_ms: float
    requests: int
    """Requests behind the percentiles."""
    errors: int
    first_error: str = ""
    windows: int = 1
    """Measurement windows behind the figure."""
    warmup_s: float = 0.0
    """Seconds of load discarded before the first window."""
    watched: str = "p50"
    """The latency that had to be stable beside the throughput: p50, p90, p95 or p99."""
    split: ServerSplit | None = None
    budgeted: bool = False
    """Whether the spec's budget is meant for this load, and so was judged."""
    missed: tuple[str, ...] = ()
    """Budgets missed, one sentence each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepTime:
    """The server's own account of one step of a pipeline."""

    step: str
    """The model's name, with `#2` behind it for the second step of that model."""
    model: str
    """Its name in the repository. Steps of one model share its figures: the server counts by model."""
    requests: int
    """Requests behind the averages."""
    queue_us: float
    """Microseconds that a request waited, on average."""
    compute_us: float
    """Microseconds in the backend, its copies of inputs and outputs included, on average."""
    share: float
    """Part of the time of all steps together, waiting included; 0 to 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelPerf:
    """The figures of one model."""

    model: str
    version: int | None
    """None: there is none to measure, and `problem` says why."""
    points: tuple[LoadPoint, ...] = ()
    input_data: str = ""
    """Where the inputs came from: samples, the declared range (seed 0), or a file."""
    problem: str = ""
    """Why nothing was measured; empty otherwise."""
    steps: tuple[StepTime, ...] = ()
    """A pipeline's steps, over all loads and their warm-ups together."""

    @property
    def passed(self) -> bool:
        """Whether there are figures, no request failed and no budget was missed."""
        return bool(self.points) and not any(
            point.missed or point.errors or not point.requests for point in self.points
        )

    @property
    def exit_code(self) -> int:
        """The code of its failure; 0 when it passed."""
        return 0 if self.passed else _failure_code(self.version, BudgetMissed)


@dataclass(frozen=True, slots=True, kw_only=True)
class PerfReport:
    """All models of one `trb perf`; one that has no version does not take the others along, and stands last."""

    models: tuple[ModelPerf, ...]
    server: str
    machine: str
    """Processor, cores, memory, operating system."""

    @property
    def passed(self) -> bool:
        """Whether there are figures and no budget was missed."""
        return bool(self.models) and all(model.passed for model in self.models)

    @property
    def exit_code(self) -> int:
        """What `trb perf` ends with: the code of the first failure."""
        if not self.models:
            return BudgetMissed.exit_code
        return next((model.exit_code for model in self.models if not model.passed), 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class FormFigures:
    """One form of a pipeline on the live server."""

    rows_per_s: float
    """At concurrency 4, one row a request."""
    p50_ms: float
    """At concurrency 1."""
    errors: int = 0
    """Requests that failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FusePick:
    """What `fuse: auto` came to."""

    kept: Literal["fused", "steps"]
    fused: FormFigures
    steps: FormFigures

    def __str__(self) -> str:
        kept, other = (self.fused, self.steps) if self.kept == "fused" else (self.steps, self.fused)
        which, what = ("merged", "single") if self.kept == "fused" else ("single", "merged")
        return (
            f"fuse: auto kept the {which} steps: {kept.rows_per_s:,.0f} rows/s at concurrency 4, p50 "
            f"{kept.p50_ms:.2f} ms at 1; {what} steps: {other.rows_per_s:,.0f} rows/s, p50 {other.p50_ms:.2f} ms"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class BuiltModel:
    """What `trb build` did about one Triton model."""

    name: str
    """Its name in trb.yaml."""
    triton_name: str
    """Its name in the repository."""
    backend: Backend
    status: Literal["built", "unchanged", "fresh", "failed"]
    """built: a new version was published; unchanged: built again to the same bytes, so the version stands;
    fresh: nothing it depends on changed, so nothing was built; failed: see `error`."""
    version: int | None = None
    exporter: str = ""
    opset: int | None = None
    max_batch_size: int | None = None
    batch_reason: str = ""
    """Why that is the largest batch, in one sentence."""
    row_gap: float | None = None
    """Largest change of a row when its neighbours were replaced; 0.0 is bit-equal, None: not tested."""
    parity_worst: float | None = None
    """Largest absolute error of the exported file against the reference."""
    size_bytes: int = 0
    """Of the version folder."""
    seconds: float = 0.0
    notes: tuple[str, ...] = ()
    error: str = ""
    """What went wrong; empty unless failed."""
    fix: str = ""
    error_code: int = ExportError.exit_code
    """The exit code of `error`."""
    path: str = ""
    """The version folder."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildReport:
    """All models of one `trb build`; one that failed does not take the others along."""

    models: tuple[BuiltModel, ...]
    repository: str = ""
    seconds: float = 0.0

    @property
    def passed(self) -> bool:
        """Whether there was a model, and none failed."""
        return bool(self.models) and all(model.status != "failed" for model in self.models)

    @property
    def exit_code(self) -> int:
        """What `trb build` ends with: the code of the first failure."""
        if not self.models:
            return ExportError.exit_code
        return next((model.error_code for model in self.models if model.status == "failed"), 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoReport:
    """What `trb demo` went through."""

    folder: str
    accuracy: str
    """What training printed."""
    build: BuildReport
    check: CheckReport | None = None
    """None: the build failed."""
    perf: PerfReport | None = None
    """None: the check failed."""

    @property
    def exit_code(self) -> int:
        """The code of the first stage that failed."""
        stages = (self.build, self.check, self.perf)
        return next((stage.exit_code for stage in stages if stage is not None and stage.exit_code), 0)
