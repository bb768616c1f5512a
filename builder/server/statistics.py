"""The server's own account of a model: counts and durations since it started."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """How often something happened, and how long it took in all."""

    count: int = 0
    total_ns: int = 0

    @property
    def mean_us(self) -> float:
        """Microseconds on average; 0 when it never happened."""
        return self.total_ns / self.count / 1000 if self.count else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistics:
    """One version of one model, at one moment or between two."""

    inference_count: int = 0
    """Rows answered."""
    execution_count: int = 0
    """Calls of the backend, each for one formed batch."""
    success: Timing = field(default_factory=Timing)
    """Requests answered, from end to end in the server."""
    fail: Timing = field(default_factory=Timing)
    queue: Timing = field(default_factory=Timing)
    compute_input: Timing = field(default_factory=Timing)
    compute_infer: Timing = field(default_factory=Timing)
    compute_output: Timing = field(default_factory=Timing)
    batches: Mapping[int, int] = field(default_factory=dict)
    """Executions by the batch size that they ran."""

    @property
    def average_batch(self) -> float:
        """Rows per execution; 0 when nothing ran."""
        return self.inference_count / self.execution_count if self.execution_count else 0.0

    @property
    def largest_batch(self) -> int:
        """Rows of the largest batch that ran; 0 when nothing ran."""
        return max((size for size, count in self.batches.items() if count > 0), default=0)

    def since(self, earlier: "Statistics") -> "Statistics":
        """Return what was added after `earlier`; all of it when the server began to count anew in between."""
        if self.inference_count < earlier.inference_count or self.execution_count < earlier.execution_count:
            return self
        timings = {
            name: Timing(
                count=getattr(self, name).count - getattr(earlier, name).count,
                total_ns=getattr(self, name).total_ns - getattr(earlier, name).total_ns,
            )
            for name in _TIMINGS
        }
        batches = {size: count - earlier.batches.get(size, 0) for size, count in self.batches.items()}
        return Statistics(
            inference_count=self.inference_count - earlier.inference_count,
            execution_count=self.execution_count - earlier.execution_count,
            batches={size: count for size, count in batches.items() if count},
            **timings,
        )


_TIMINGS = ("success", "fail", "queue", "compute_input", "compute_infer", "compute_output")


def read_statistics(row: Mapping[str, Any]) -> Statistics:
    """Return one entry of the `model_stats` that Triton sends over HTTP. What it leaves out is zero."""
    timings = row.get("inference_stats", {})
    return Statistics(
        inference_count=int(row.get("inference_count", 0)),
        execution_count=int(row.get("execution_count", 0)),
        batches={
            int(batch["batch_size"]): int(batch.get("compute_infer", {}).get("count", 0))
            for batch in row.get("batch_stats", ())
        },
        **{name: _timing(timings.get(name, {})) for name in _TIMINGS},
    )


def _timing(facts: Mapping[str, Any]) -> Timing:
    return Timing(count=int(facts.get("count", 0)), total_ns=int(facts.get("ns", 0)))
