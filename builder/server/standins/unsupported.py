"""What the genuine backends can do and a Python-based one cannot: said at load, never served wrongly."""

from typing import Final

from builder.rules.refusal import Config, tensors
from builder.server.standins.refused import LoadRefused

_ADVICE: Final = "check it on a genuine server instead, such as the official container"


def check(config: Config) -> None:
    """Refuse what a stand-in cannot carry.

    Raises:
        LoadRefused: the config asks for it.
    """
    for what in _asked(config):
        raise LoadRefused(
            f"the embedded stand-in for backend '{config.get('backend')}' does not carry {what}; {_ADVICE}"
        )


def _asked(config: Config) -> list[str]:
    every = (*tensors(config, "input"), *tensors(config, "output"))
    found = [f"bfloat16 ('{tensor['name']}')" for tensor in every if tensor["data_type"] == "TYPE_BF16"]
    found += [f"ragged batches ('{tensor['name']}')" for tensor in every if tensor.get("allow_ragged_batch")]
    found += [f"{key}" for key in ("batch_input", "batch_output") if config.get(key)]
    if (config.get("sequence_batching") or {}).get("state"):
        found.append("implicit sequence state")
    return found
