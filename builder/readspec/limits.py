"""How large the numbers of trb.yaml may be: what Triton's config can hold, and what fits into a machine."""

from collections.abc import Iterator
from typing import Final

from builder.readspec.finding import Finding
from builder.readspec.yaml_tree import Path
from builder.spec.project import (
    Axis,
    Batching,
    Input,
    Instances,
    Latency,
    Model,
    Parity,
    Pipeline,
    Tolerance,
    axis_range,
    has_batch_axis,
)

INT32: Final = 2**31 - 1
"""The largest number of most fields of config.pbtxt, `max_batch_size` among them."""
_REQUEST_BYTES: Final = 2**31 - 1
"""gRPC, and so Triton, takes no larger message."""
_LEAST_OPSET: Final = 7
"""torch's exporters go no lower."""
_MOST_GPUS: Final = 1024
_HOUR_MS: Final = 3_600_000


def numbers(model: Model) -> Iterator[Finding]:
    """Yield every number of `model` that is out of its bounds, but for those of its tensors."""
    yield from _bounded(("keep_versions",), model.keep_versions, 1, 1000, "Triton keeps each of them loaded")
    yield from _parity(("parity",), model.parity)
    for name, output in model.outputs.items():
        if output.parity is not None:
            yield from _parity(("outputs", name, "parity"), output.parity)
    yield from _queue(model.batching)
    yield from _instances(model.instances)
    yield from _latency(model) if model.latency is not None else ()
    if model.onnx.opset is not None and model.onnx.opset < _LEAST_OPSET:
        yield Finding(("onnx", "opset"), f"must be at least {_LEAST_OPSET}; no exporter goes lower")


def pipeline_numbers(pipeline: Pipeline) -> Iterator[Finding]:
    """Yield every number of `pipeline` that is out of its bounds."""
    yield from _parity(("parity",), pipeline.parity) if pipeline.parity is not None else ()
    for name, output in pipeline.outputs.items():
        if output.parity is not None:
            yield from _parity(("outputs", name, "parity"), output.parity)
    if pipeline.latency is not None:
        yield from _budget(pipeline.latency)
        yield from _bounded(("latency", "batch"), pipeline.latency.batch, 1, INT32, "no batch is larger")


def sizes(model: Model) -> Iterator[Finding]:
    """Yield the sizes of axes that Triton cannot count, and those with which one input would not fit a request."""
    for axis, size in model.dims.items():
        yield from _bounded(("dims", axis, "max"), size.max, None, INT32, "Triton counts with 32 bits")
    for name, tensor in model.inputs.items():
        yield from _request(model, name, tensor)


def _request(model: Model, name: str, tensor: Input) -> Iterator[Finding]:
    axes = [dim for dim in tensor.shape if isinstance(dim, str)]
    if any(axis not in model.dims and axis != model.batching.axis for axis in axes):
        return  # its missing sizes are a mistake of their own
    limits = {axis: axis_range(model, axis) for axis in axes}
    here: Path = ("inputs", name, "shape")
    if _bytes(tensor, limits, "") > _REQUEST_BYTES:
        yield Finding(here, f"is {_gigabytes(_bytes(tensor, limits, ''))} at its smallest; {_NO_LARGER}")
        return
    for axis, ends in limits.items():
        size = _bytes(tensor, limits, axis)
        if size > _REQUEST_BYTES and ends.max <= INT32:
            message = f"`{name}` with {axis}={ends.max} is {_gigabytes(size)}; {_NO_LARGER}"
            yield Finding(("dims", axis, "max"), message, (here, ("inputs", name, "dtype")))


_NO_LARGER: Final = "no request may have more than 2 GB"


def _bytes(tensor: Input, limits: dict[str, Axis], longest: str) -> int:
    """Return the size of a tensor whose axis `longest` is at its maximum, all others at their minimum."""
    total = max(tensor.dtype.bytes, 1)
    for dim in tensor.shape:
        fixed = dim if isinstance(dim, int) else limits[dim].max if dim == longest else limits[dim].min
        total *= max(fixed, 1)
    return total


def _gigabytes(size: int) -> str:
    return f"{size / 1e9:,.1f} GB" if size < 10**15 else "beyond any memory"


def _parity(here: Path, tolerance: Tolerance) -> Iterator[Finding]:
    for key in ("rtol", "atol", "max_error", "mean_error", "p99_error"):
        value = getattr(tolerance, key)
        if value is not None and value < 0:
            yield Finding((*here, key), f"{value:g} is no tolerance; give a number from 0")
    if tolerance.top_k is not None:
        yield from _bounded((*here, "top_k"), tolerance.top_k, 1, INT32, "no axis is longer")
    if tolerance.cosine_min is not None and not -1 <= tolerance.cosine_min <= 1:
        yield Finding((*here, "cosine_min"), "must be between -1 and 1")
    if isinstance(tolerance, Parity):
        yield from _bounded((*here, "seed"), tolerance.seed, 0, 2**63 - 1, "a seed has 63 bits")


def _queue(batching: Batching) -> Iterator[Finding]:
    why = "that is a minute, and requests would time out"
    yield from _bounded(("batching", "queue_delay_us"), batching.queue_delay_us, 0, 60_000_000, why)
    if batching.row_tolerance < 0:
        yield Finding(("batching", "row_tolerance"), "must be a number from 0")


def _instances(instances: Instances) -> Iterator[Finding]:
    why = "each is a copy of the model in memory"
    yield from _bounded(("instances", "count"), instances.count, 1, 1024, why)
    if instances.cores is not None:
        yield from _bounded(("instances", "cores"), instances.cores, 1, 65_536, "no machine has more")
    for n, gpu in enumerate(instances.gpus):
        yield from _bounded(
            ("instances", "gpus", n), gpu, 0, _MOST_GPUS - 1, "devices are numbered from 0 on each machine"
        )
        if gpu in instances.gpus[:n]:
            yield Finding(("instances", "gpus", n), f"names GPU {gpu} twice")
    if instances.gpus and instances.kind == "cpu":
        yield Finding(("instances", "gpus"), "kind cpu has no GPUs", (("instances", "kind"),))


def _latency(model: Model) -> Iterator[Finding]:
    assert model.latency is not None
    yield from _budget(model.latency)
    yield from _rows(model, model.latency)


def _budget(latency: Latency) -> Iterator[Finding]:
    for key, most, why in _BUDGET:
        value = getattr(latency, key)
        if value is not None and value <= 0:
            yield Finding(("latency", key), f"must be above 0, not {value:g}")
        elif value is not None:
            yield from _bounded(("latency", key), value, None, most, why)


_BUDGET: Final = (
    *((f"p{percent}_ms", _HOUR_MS, "that is an hour") for percent in (50, 90, 95, 99)),
    ("throughput_min", 10**9, "no server answers more rows in a second"),
    ("concurrency", 1024, "each is a client of its own on the machine that measures"),
    ("request_rate", 10**6, "no machine sends more requests in a second"),
)


def _rows(model: Model, latency: Latency) -> Iterator[Finding]:
    """Yield what is wrong with the rows of a request: there is a largest batch, or no batch at all."""
    largest = axis_range(model, model.batching.axis).max if has_batch_axis(model) else 1
    why = "the largest batch" if has_batch_axis(model) else "there is no batch axis"
    needs = (("dims", model.batching.axis), *(("inputs", name, "shape") for name in model.inputs))
    for finding in _bounded(("latency", "batch"), latency.batch, 1, largest, why):
        yield Finding(finding.path, finding.message, needs)


def _bounded(here: Path, value: float, least: int | None, most: int, why: str) -> Iterator[Finding]:
    if least is not None and value < least:
        yield Finding(here, f"must be at least {least}, not {_shown(value)}")
    if value > most:
        yield Finding(here, f"must be at most {_shown(most)}, not {_shown(value)}: {why}")


def _shown(value: float) -> str:
    return f"{value:,}" if abs(value) < 10**20 else "a number of more than 20 digits"
