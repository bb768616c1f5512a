"""One thing that a server will not do, and the one way to read a config."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

Config = Mapping[str, Any]
"""A model configuration as `GET v2/models/<name>/config` gives it: proto field names, enums as strings."""

BATCHED_DIM = -1


Place = tuple[str | int, ...]
"""A part of a config: field names, positions in lists, keys of maps, such as `("input", 0, "dims")`."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a server will not load a model, or will not answer, or what it will do to people's surprise."""

    message: str
    """The server's own words, as far as it has any."""

    kind: Literal["load", "request", "crash", "surprise"] = "load"
    """load: the model is UNAVAILABLE; request: requests fail; crash: the genuine server dies at a request;
    surprise: it loads and answers, and does something else than it seems to."""

    code: str = ""
    """What `trb lint` calls this rule, such as C204."""

    place: Place = ()
    """The part of the config that has to change; empty: the whole, or none."""

    file: str = ""
    """The file in the model's folder that it is about; empty: its configuration."""

    line: int = 0
    """The line of `file`, counted from 1; 0: none in particular."""

    fix: str = ""
    """The next thing to do; empty where the message says it all."""

    right: str | None = None
    """What should stand at `place` instead, where there is one right answer; empty: nothing should."""


class ModelTensor(NamedTuple):
    """An input or output as the runtime that loaded the file describes it."""

    name: str
    type: str
    """ONNX Runtime's name of the type, such as `tensor(float)` or `seq(tensor(float))`."""
    shape: tuple[int, ...]
    """Batch axis included, -1 for what is not fixed; empty for a scalar and for an unknown rank."""


def tensors(config: Config, key: Literal["input", "output"]) -> Sequence[Config]:
    """Return the inputs or outputs of `config`, in its order."""
    found: Sequence[Config] = config.get(key) or ()
    return found


def max_batch_size(config: Config) -> int:
    """Return `max_batch_size`; 0 when it is not given."""
    return int(config.get("max_batch_size") or 0)


def backend_dims(tensor: Config) -> tuple[int, ...]:
    """Return the dims that the backend sees, without the batch axis: those of `reshape` if there is one."""
    dims = tensor["reshape"].get("shape") if tensor.get("reshape") is not None else tensor.get("dims")
    return tuple(int(dim) for dim in dims or ())


def shape_text(shape: Sequence[int]) -> str:
    """Return `shape` as Triton prints it, such as `[-1,4]`."""
    return "[" + ",".join(map(str, shape)) + "]"
