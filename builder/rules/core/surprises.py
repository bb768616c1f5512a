"""What loads, and does something else than it seems to."""

from collections.abc import Iterator
from typing import Final

from builder.rules.core.instances import name_of, wants_gpu
from builder.rules.core.server import Server
from builder.rules.core.tensors import ENSEMBLE
from builder.rules.refusal import Config, Refusal, max_batch_size

_INTEGERS: Final = tuple(f"TYPE_{sign}INT{bits}" for sign in ("", "U") for bits in (8, 16, 32, 64))


def surprises(config: Config, server: Server) -> list[Refusal]:
    """Return what is likely to be meant otherwise in `config`, which is completed."""
    return [*_gpus(config, server), *_batching(config), *_random(config)]


def _gpus(config: Config, server: Server) -> Iterator[Refusal]:
    if server.gpus is not None or config.get("platform") == ENSEMBLE:
        return
    for position, group in enumerate(config.get("instance_group") or ()):
        if wants_gpu(group, None) and (group.get("kind") == "KIND_GPU" or group.get("gpus")):
            part = "kind" if group.get("kind") else "gpus"
            yield Refusal(
                f"instance group {name_of(config, position)} asks for a GPU: a server without one refuses the model",
                kind="surprise",
                code="C213",
                place=("instance_group", position, part),
                fix="say with --gpus how many the server has; KIND_AUTO without `gpus` takes a CPU where there is none",
            )


def _batching(config: Config) -> Iterator[Refusal]:
    if config.get("dynamic_batching") is not None and max_batch_size(config) <= 1:
        yield Refusal(
            f"dynamic_batching with max_batch_size {max_batch_size(config)}: no two requests ever make one batch",
            kind="surprise",
            code="C232",
            place=("dynamic_batching",),
            fix="max_batch_size above 1 for a model that takes batches, else no dynamic_batching",
        )


def _random(config: Config) -> Iterator[Refusal]:
    for position, sample in enumerate(config.get("model_warmup") or ()):
        for name, given in (sample.get("inputs") or {}).items():
            if given.get("random_data") and given.get("data_type") in _INTEGERS:
                yield Refusal(
                    f"random_data fills input '{name}' with any integers there are; a model that looks them up "
                    "fails, and with it the loading",
                    kind="surprise",
                    code="C231",
                    place=("model_warmup", position, "inputs", name, "random_data"),
                    fix="zero_data: true, or real values in an input_data_file",
                )
