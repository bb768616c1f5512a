"""The files of a stack: compose.yaml, and what its containers read."""

import json
from collections.abc import Mapping
from typing import Any, Final

from builder.assets import template
from builder.deploy.dashboard import dashboard
from builder.deploy.stack import Stack
from builder.server.docker.command import GRPC, HTTP, METRICS, MODELS
from builder.server.docker.gpus import Gpus

COMPOSE: Final = "compose.yaml"
SCRAPE_INTERVAL_S: Final = 5
EXIT_TIMEOUT_S: Final = 30
"""How long requests in flight may take to end after `docker compose stop`."""
_QUANTILES_SINCE: Final = (23, 4)
_CONTENT_TYPE_SINCE: Final = (24, 10)
"""The first release that was seen to say that its metrics are text; early ones do not, and Prometheus 3 then asks for
more."""
_DATASOURCE: Final = "trb-prometheus"


def files(stack: Stack) -> Mapping[str, str]:
    """Return the text of each file by its path, seen from the folder of compose.yaml."""
    return {
        COMPOSE: _compose(stack),
        "prometheus.yml": _rendered(
            "prometheus.yml",
            interval_s=SCRAPE_INTERVAL_S,
            says_its_type=stack.release.key >= _CONTENT_TYPE_SINCE,
        ),
        "grafana/provisioning/datasources/trb.yaml": _rendered(
            "datasource.yaml", uid=_DATASOURCE, interval_s=SCRAPE_INTERVAL_S
        ),
        "grafana/provisioning/dashboards/trb.yaml": _rendered("dashboards.yaml"),
        "grafana/dashboards/models.json": dashboard(
            stack, datasource=_DATASOURCE, quantiles=_quantiles(stack)
        ),
    }


def _quantiles(stack: Stack) -> bool:
    return stack.has_quantiles and stack.release.key >= _QUANTILES_SINCE


def _compose(stack: Stack) -> str:
    return _rendered(
        "compose.yaml",
        stack=stack,
        command=_command(stack),
        devices=_devices(stack.gpus),
        grace_s=EXIT_TIMEOUT_S + 10,
    )


def _command(stack: Stack) -> list[str]:
    return [
        "tritonserver",
        f"--model-repository={MODELS}",
        f"--http-port={HTTP}",
        f"--grpc-port={GRPC}",
        f"--metrics-port={METRICS}",
        "--model-control-mode=explicit",
        *(f"--load-model={name}" for name in stack.loads),
        f"--exit-timeout-secs={EXIT_TIMEOUT_S}",
        # Without these the log opens with warnings about a GPU that is not there.
        *([] if stack.gpus else ["--allow-gpu-metrics=false", "--pinned-memory-pool-byte-size=0"]),
        *(["--metrics-config=summary_latencies=true"] if _quantiles(stack) else []),
    ]


def _devices(gpus: Gpus | None) -> Mapping[str, Any] | None:
    """Return which GPUs the service reserves, in the words of the Compose specification."""
    if gpus is None:
        return None
    return {"device_ids": list(gpus.ids)} if gpus.ids else {"count": gpus.count or "all"}


def _rendered(name: str, **values: Any) -> str:
    return template(f"compose/{name}.j2", yaml=yaml_value, compose=compose_value).render(**values)


def yaml_value(value: Any) -> str:
    """Write a value for YAML, of which JSON is a part."""
    return json.dumps(value, ensure_ascii=False)


def compose_value(value: Any) -> str:
    """Write a value for compose.yaml, where `$` names a variable unless it is doubled."""
    return yaml_value(value).replace("$", "$$")
