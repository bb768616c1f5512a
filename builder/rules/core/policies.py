"""The response cache, metrics and agents of a model."""

import re
from collections.abc import Iterator
from typing import Final

from builder.rules import parameters
from builder.rules.refusal import Config, Refusal

_LABEL: Final = re.compile(r"(?!_)[a-zA-Z0-9_]*", re.ASCII)
_STRATEGY: Final = "TRITON_BATCH_STRATEGY_PATH"
_AGENTS: Final = ("checksum",)
"""Those in NVIDIA's images."""


def check(config: Config) -> Iterator[Refusal]:
    """Yield what the core has against the config as a whole."""
    yield from _agents(config)
    yield from _cache(config)
    yield from _metrics(config)


def strategy(config: Config) -> Iterator[Refusal]:
    """Yield what is wrong with the path of a batching strategy; where it leads on the server is not known here."""
    if _STRATEGY not in (config.get("parameters") or {}):
        return
    path, place = parameters.text(config)[_STRATEGY], ("parameters", _STRATEGY)
    if config.get("sequence_batching") is not None:
        yield Refusal(
            f"{_STRATEGY} cannot be specified with sequence batcher, using default batching strategy",
            code="C229",
            place=place,
        )
    elif not path.startswith("/"):
        yield Refusal(
            f"Batching library path not found: {path}",
            code="C229",
            place=place,
            fix="give the path from the root of the server's file system",
        )


def tags(config: Config) -> Iterator[Refusal]:
    """Yield the metric tags that Prometheus's library, which throws, takes for no label."""
    for key in config.get("metric_tags") or {}:
        if not _LABEL.fullmatch(key):
            yield Refusal(
                f"metric tag '{key}' becomes the label '_{key}', which Prometheus does not allow; a server that loads "
                "this model ends, with all its models",
                code="C226",
                place=("metric_tags", key),
                fix="use letters, digits and underscores, no underscore first",
            )


def _cache(config: Config) -> Iterator[Refusal]:
    if not (config.get("response_cache") or {}).get("enable"):
        return
    because = []
    if config.get("sequence_batching") is not None:
        because.append("sequence batching scheduler. Please disable the response cache.")
    if (config.get("model_transaction_policy") or {}).get("decoupled"):
        because.append("'decoupled' transaction policy. Please disable the response cache.")
    for reason in because:
        yield Refusal(
            f"Response Cache does not currently support model {config['name']} with {reason}",
            code="C216",
            place=("response_cache",),
        )


def _agents(config: Config) -> Iterator[Refusal]:
    given = config.get("model_repository_agents")
    if given is None:
        return
    agents = given.get("agents") or ()
    if not agents:
        yield Refusal(
            "model_repository_agents names no agent; a server that reads this ends, with all its models",
            code="C227",
            place=("model_repository_agents",),
            fix="remove it",
        )
    for position, agent in enumerate(agents):
        name = agent.get("name") or ""
        if name not in _AGENTS:
            yield Refusal(
                f"unable to find 'libtritonrepoagent_{name}.so' for repo agent '{name}'",
                code="C227",
                place=("model_repository_agents", "agents", position),
                fix="the images hold the agent checksum alone",
            )


def _metrics(config: Config) -> Iterator[Refusal]:
    for position, control in enumerate((config.get("model_metrics") or {}).get("metric_control") or ()):
        if control.get("metric_identifier") is None:
            words = "metric control must specify 'metric_identifier'"
        elif not control["metric_identifier"].get("family"):
            words = "metric identifier must specify non-empty 'family'"
        elif control.get("histogram_options") is None:
            words = "metric control must specify 'histogram_options'"
        elif not control["histogram_options"].get("buckets"):
            words = "histogram options must specify non-empty 'buckets'"
        else:
            continue
        yield Refusal(words, code="C228", place=("model_metrics", "metric_control", position))
