"""The Grafana dashboard of the models and pipelines of a spec."""

import json
from collections.abc import Iterator, Sequence
from typing import Final

from builder.deploy.panels import Panel, Query, Row, laid_out
from builder.deploy.stack import Served, Stack

UID: Final = "trb-models"
JOB: Final = "triton"
"""What Prometheus calls the server."""
_RATE: Final = "[$__rate_interval]"
"""Grafana fills it in: long enough for several answers of the server, whatever the zoom."""
_SCHEMA: Final = 39
_REASON_SINCE: Final = (24, 7)
_PENDING_SINCE: Final = (23, 9)
_PARTS: Final = {
    "queue": "queue",
    "compute_input": "input",
    "compute_infer": "inference",
    "compute_output": "output",
}
"""The parts of a request's time that the server counts, and what they are called here."""


def dashboard(stack: Stack, *, datasource: str, quantiles: bool) -> str:
    """Return the JSON of the dashboard.

    Args:
        stack: what is drawn.
        datasource: the uid of Grafana's datasource.
        quantiles: whether the server computes percentiles.
    """
    rows = [_all(stack, quantiles=quantiles), *_rows(stack, quantiles=quantiles), _machine(stack)]
    document = {
        "uid": UID,
        "title": f"Triton: {stack.project}",
        "tags": ["triton", "trb"],
        "timezone": "browser",
        "editable": True,
        "graphTooltip": 1,
        "schemaVersion": _SCHEMA,
        "refresh": "5s",
        "time": {"from": "now-15m", "to": "now"},
        "templating": {"list": []},
        "annotations": {"list": []},
        "panels": laid_out(rows, datasource=datasource),
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _rows(stack: Stack, *, quantiles: bool) -> Iterator[Row]:
    for one in stack.served:
        if one.steps:
            yield _pipeline(one, stack, quantiles=quantiles)
        else:
            yield _model(one, stack, quantiles=quantiles)


def _all(stack: Stack, *, quantiles: bool) -> Row:
    """Return the row that shows what is served side by side."""
    models = _picked([one.name for one in stack.served])
    slow = (
        Panel(
            title="p99 latency",
            description="Of the last minute, as the server measures it.",
            queries=[Query(f"max by (model) ({_quantile('0.99', models)})", "{{model}}")],
            unit="µs",
        )
        if quantiles
        else Panel(
            title="Mean latency",
            description="From the server's receipt of a request to its answer.",
            queries=[Query(_mean("request", models, "model"), "{{model}}")],
            unit="µs",
        )
    )
    return Row(
        title="All",
        columns=3,
        panels=[
            Panel(
                title="Requests",
                description="Answered requests a second.",
                queries=[Query(_rate("request_success", models, "model"), "{{model}}")],
                unit="reqps",
            ),
            Panel(
                title="Failures",
                description="Requests a second that ended in an error.",
                queries=[Query(_rate("request_failure", models, "model"), "{{model}}")],
                unit="reqps",
            ),
            slow,
        ],
    )


def _model(one: Served, stack: Stack, *, quantiles: bool) -> Row:
    this = _picked([one.name])
    panels = [
        *_asked(this, stack, quantiles=quantiles),
        Panel(
            title="Where the time goes",
            description="Mean time of a request in the queue, in copying inputs, in the model and in copying outputs.",
            queries=[Query(_mean(part, this), called) for part, called in _PARTS.items()],
            unit="µs",
            is_stacked=True,
        ),
        Panel(
            title="Batch size",
            description="Mean number of rows that the model is run with at once.",
            queries=[Query(f"{_rate('count', this)} / {_rate('exec_count', this)}", "rows")],
            unit="none",
        ),
        *_pending(this, "", "waiting", stack),
    ]
    return Row(title=f"Model {one.name}", columns=3, panels=panels)


def _pipeline(one: Served, stack: Stack, *, quantiles: bool) -> Row:
    this, steps = _picked([one.name]), _picked(one.steps)
    panels = [
        *_asked(this, stack, quantiles=quantiles),
        Panel(
            title="Time in each step",
            description="Mean time of a request in each step, its queue included. Requests that a step's model "
            "gets from elsewhere count too.",
            queries=[Query(_mean("request", steps, "model"), "{{model}}")],
            unit="µs",
            is_stacked=True,
        ),
        Panel(
            title="Queue of each step",
            description="Mean time that a request waits for an instance of each step's model.",
            queries=[Query(_mean("queue", steps, "model"), "{{model}}")],
            unit="µs",
            is_stacked=True,
        ),
        *_pending(steps, "model", "{{model}}", stack),
    ]
    return Row(title=f"Pipeline {one.name}: {' → '.join(one.steps)}", columns=len(panels), panels=panels)


def _asked(this: str, stack: Stack, *, quantiles: bool) -> Iterator[Panel]:
    """Yield what a client of one model sees: answers, failures, latency."""
    yield Panel(
        title="Requests",
        description="Answered requests and rows a second.",
        queries=[Query(_rate("request_success", this), "requests"), Query(_rate("count", this), "rows")],
        unit="reqps",
    )
    has_reasons = stack.release.key >= _REASON_SINCE
    yield Panel(
        title="Failures",
        description="Requests a second that ended in an error"
        + (", by what went wrong." if has_reasons else "; this release does not say of what kind."),
        queries=[
            Query(_rate("request_failure", this, "reason"), "{{reason}}")
            if has_reasons
            else Query(_rate("request_failure", this), "failures")
        ],
        unit="reqps",
    )
    percentiles = {"p50": "0.5", "p95": "0.95", "p99": "0.99"} if quantiles else {}
    yield Panel(
        title="Latency",
        description="From the server's receipt of a request to its answer"
        + ("; percentiles of the last minute." if quantiles else "."),
        queries=[
            *(Query(f"max({_quantile(value, this)})", name) for name, value in percentiles.items()),
            Query(_mean("request", this), "mean"),
        ],
        unit="µs",
    )


def _pending(models: str, by: str, legend: str, stack: Stack) -> list[Panel]:
    if stack.release.key < _PENDING_SINCE:
        return []
    query = f"sum{_by(by)}(nv_inference_pending_request_count{{{models}}})"
    return [
        Panel(
            title="Pending requests",
            description="Requests that the server has and no instance works on yet.",
            queries=[Query(query, legend)],
            unit="none",
        )
    ]


def _machine(stack: Stack) -> Row:
    """Return the row of the server and the machine under it, of which its container may be given a part."""
    job = f'job="{JOB}"'
    panels = [
        Panel(
            title="Server",
            description="1: it answers Prometheus.",
            queries=[Query(f"up{{{job}}}", "up")],
            unit="none",
        ),
        Panel(
            title="CPU",
            description="Of the whole machine.",
            queries=[Query(f"nv_cpu_utilization{{{job}}}", "used")],
            unit="percentunit",
        ),
        Panel(
            title="Memory",
            description="Of the whole machine.",
            queries=[
                Query(f"nv_cpu_memory_used_bytes{{{job}}}", "used"),
                Query(f"nv_cpu_memory_total_bytes{{{job}}}", "total"),
            ],
            unit="bytes",
        ),
    ]
    if stack.gpus:
        panels += [
            Panel(
                title="GPU",
                description="By GPU.",
                queries=[Query(f"nv_gpu_utilization{{{job}}}", "{{gpu_uuid}}")],
                unit="percentunit",
            ),
            Panel(
                title="GPU memory",
                description="By GPU.",
                queries=[
                    Query(f"nv_gpu_memory_used_bytes{{{job}}}", "used {{gpu_uuid}}"),
                    Query(f"nv_gpu_memory_total_bytes{{{job}}}", "total {{gpu_uuid}}"),
                ],
                unit="bytes",
            ),
            Panel(
                title="GPU power",
                description="By GPU.",
                queries=[Query(f"nv_gpu_power_usage{{{job}}}", "{{gpu_uuid}}")],
                unit="watt",
            ),
        ]
    return Row(title="Server", columns=3, panels=panels)


def _picked(names: Sequence[str]) -> str:
    """Return the label matchers of these models."""
    if len(names) == 1:
        return f'job="{JOB}", model="{names[0]}"'
    one_of = "|".join(name.replace(".", "\\\\.") for name in names)
    return f'job="{JOB}", model=~"{one_of}"'


def _rate(counter: str, models: str, by: str = "") -> str:
    return f"sum{_by(by)}(rate(nv_inference_{counter}{{{models}}}{_RATE}))"


def _mean(part: str, models: str, by: str = "") -> str:
    """Return the mean time of an answered request in `part`, in microseconds."""
    return f"{_rate(f'{part}_duration_us', models, by)} / {_rate('request_success', models, by)}"


def _quantile(value: str, models: str) -> str:
    return f'nv_inference_request_summary_us{{{models}, quantile="{value}"}}'


def _by(label: str) -> str:
    return f" by ({label}) " if label else ""
