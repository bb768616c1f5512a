"""What the server core refuses of any config, whichever backend it names, in the order in which it looks.

Source: src/model_config_utils.cc, model.cc, backend_model_instance.cc and sequence_batch_scheduler.cc in
triton-inference-server/core; every sentence was seen from server 2.51.0.
"""

from typing import Final

from builder.rules import ensembles
from builder.rules.core import (
    batch_tensors,
    dynamic_batching,
    instances,
    labels,
    names,
    policies,
    sequence_batching,
    states,
    tensors,
    warmup,
)
from builder.rules.core.files import Files
from builder.rules.core.server import Server
from builder.rules.core.surprises import surprises
from builder.rules.core.tensors import ENSEMBLE
from builder.rules.refusal import Config, Refusal

__all__ = [
    "ENSEMBLE",
    "Files",
    "Server",
    "loaded",
    "polled",
    "surprises",
    "tensor_refusals",
]

_ANY: Final = Server()


def polled(config: Config, *, folder: str, server: Server = _ANY) -> list[Refusal]:
    """Return what makes the server pass over the model's folder before it looks for the backend."""
    named = {**config, "name": config.get("name") or folder}
    return [
        *names.backend(named, server),
        *dynamic_batching.check(named),
        *sequence_batching.check(named),
        *ensembles.check(named),
        *policies.check(named),
        *names.folder(config, folder),
    ]


def loaded(config: Config, *, server: Server = _ANY, files: Files | None = None) -> list[Refusal]:
    """Return what keeps the model from loading once the backend has completed `config`.

    Args:
        config: the configuration, with the model's name.
        server: that which would load it.
        files: those in the model's folder; None: there are none yet, and they are not missed.
    """
    refusals = [
        *tensors.check(config),
        *labels.check(config, files, server),
        *batch_tensors.check(config),
        *policies.tags(config),
    ]
    if config.get("platform") == ENSEMBLE:  # which has no instances
        return refusals
    return [
        *refusals,
        *instances.check(config, server),
        *warmup.check(config, files),
        *states.check(config, files),
        *policies.strategy(config),
    ]


def tensor_refusals(config: Config) -> list[Refusal]:
    """Return what keeps anybody from reading the inputs and outputs of `config`."""
    return [refusal for refusal in tensors.check(config) if refusal.kind == "load"]
