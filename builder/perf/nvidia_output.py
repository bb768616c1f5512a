"""What perf_analyzer prints and writes."""

import csv
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from builder.perf.load import Load
from builder.perf.windows import PERCENTILES, Window
from builder.spec.results import ServerSplit

_PASS: Final = re.compile(
    r"Pass \[\d+\] throughput: ([\d.e+]+) infer/sec\. (?:p(\d+)|Avg) latency: (\d+) usec"
)
_REQUESTS: Final = re.compile(r"^\s*Request count: (\d+)", re.MULTILINE)
_INFERENCES: Final = re.compile(r"^\s*Inference count: (\d+)", re.MULTILINE)
_EXECUTIONS: Final = re.compile(r"^\s*Execution count: (\d+)", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the CSV, with what only the text says."""

    throughput: float
    """Rows per second."""
    latency_ms: Mapping[str, float]
    requests: int
    split: ServerSplit | None


def windows(text: str, *, rows: int = 1) -> tuple[Window, ...]:
    """Return the windows that `-v` prints, each with the one latency it was judged by.

    Args:
        text: the standard output.
        rows: rows in what perf_analyzer took for one inference; above 1 where the server does not batch.
    """
    return tuple(
        Window(
            throughput=float(rate) * rows, latency_ms={f"p{percent}" if percent else "mean": int(us) / 1000}
        )
        for rate, percent, us in _PASS.findall(text)
    )


def row(table: str, text: str, load: Load, *, rows: int = 1) -> Row | None:
    """Return the row of `load`; None if it is not there, as for a level that was dropped.

    Args:
        table: the CSV file, written with --verbose-csv.
        text: the standard output of the same run with -v.
        load: the level asked for.
        rows: rows in what perf_analyzer took for one inference; above 1 where the server does not batch.
    """
    column, level = ("Concurrency", load.concurrency) if load.rate is None else ("Request Rate", load.rate)
    for cells in csv.DictReader(io.StringIO(table)):
        if level is not None and cells.get(column) and abs(float(cells[column]) - level) <= 1e-3 * level:
            return _row(cells, text, rows)
    return None


def _row(cells: Mapping[str, str], text: str, rows: int) -> Row:
    latency_ms = {name: float(cells[f"{name} latency"]) / 1000 for name in PERCENTILES}
    latency_ms["mean"] = (float(cells["request/response"]) + float(cells["response wait"])) / 1000
    counted = _REQUESTS.search(text)
    return Row(
        throughput=float(cells["Inferences/Second"]) * rows,
        latency_ms=latency_ms,
        requests=int(counted[1]) if counted else 0,
        split=_split(cells, text),
    )


def _split(cells: Mapping[str, str], text: str) -> ServerSplit | None:
    inferences, executions = _INFERENCES.search(text), _EXECUTIONS.search(text)
    if not inferences or not executions or not int(executions[1]):
        return None
    return ServerSplit(
        queue_us=float(cells["Server Queue"]),
        compute_input_us=float(cells["Server Compute Input"]),
        compute_infer_us=float(cells["Server Compute Infer"]),
        compute_output_us=float(cells["Server Compute Output"]),
        average_batch=int(inferences[1]) / int(executions[1]),
    )
