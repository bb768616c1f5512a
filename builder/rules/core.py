"""What the server core refuses of any config, whichever backend it names."""

import json
import math
from collections.abc import Iterator
from typing import Final, Literal

from builder.rules import ensembles
from builder.rules.refusal import BATCHED_DIM, Config, Refusal, max_batch_size, tensors

PLATFORMS: Final = {
    "onnxruntime_onnx": "onnxruntime",
    "pytorch_libtorch": "pytorch",
    "tensorrt_plan": "tensorrt",
    "ensemble": "",
}
"""The backend that belongs to each platform of release 24.10."""

_LONGEST_NAME: Final = 255
_IMAGE_RANK: Final = 3
_BOTH: Final[tuple[Literal["input", "output"], ...]] = ("input", "output")


def check(config: Config, *, folder: str, has_gpu: bool = False) -> list[Refusal]:
    """Return all that the server core has against `config`.

    Args:
        config: the configuration.
        folder: the name of the model's folder, which is the model's name.
        has_gpu: whether the server has a GPU to use.
    """
    named = {**config, "name": folder}
    return [
        *_name(config, folder),
        *_platform(named),
        *_batch(named),
        *(refusal for io in _BOTH for refusal in _tensors(named, io)),
        *([] if has_gpu or "ensemble_scheduling" in named else _instances(named)),
        *ensembles.check(named),
    ]


def name_refusal(name: str) -> Refusal | None:
    """Return why no folder, and so no model, can be called `name`; the server has no words for it."""
    if name in ("", ".", "..") or "/" in name or "\0" in name:
        return Refusal(f"'{name}' cannot be the name of a folder", code="C201", place=("name",))
    if len(name.encode()) > _LONGEST_NAME:
        return Refusal(
            f"'{name}' is longer than the {_LONGEST_NAME} bytes that a folder's name may have",
            code="C201",
            place=("name",),
        )
    return None


def _name(config: Config, folder: str) -> Iterator[Refusal]:
    if refusal := name_refusal(folder):
        yield refusal
    elif config.get("name") not in (None, "", folder):
        yield Refusal(
            f"unexpected directory name '{folder}' for model '{config['name']}', directory name must equal model name",
            code="C201",
            place=("name",),
            fix=f"name: {json.dumps(folder, ensure_ascii=False)}, or rename the folder",
            right=f"name: {json.dumps(folder, ensure_ascii=False)}",
        )


def _platform(config: Config) -> Iterator[Refusal]:
    platform, backend = config.get("platform") or "", config.get("backend") or ""
    if platform and platform not in PLATFORMS and not backend:
        yield Refusal(
            f"unexpected platform type '{platform}' for {config['name']}", code="C203", place=("platform",)
        )
    elif platform and platform != "ensemble" and backend and PLATFORMS.get(platform, backend) != backend:
        yield Refusal(
            f"unexpected 'platform' and 'backend' pair, got:{platform}, {backend}",
            code="C203",
            place=("platform",),
            fix="remove `platform`; the backend implies it",
        )


def _batch(config: Config) -> Iterator[Refusal]:
    name, most = config["name"], max_batch_size(config)
    if most < 0:
        yield Refusal(
            f"'max_batch_size' must be non-negative value for {name}", code="C205", place=("max_batch_size",)
        )
    sizes = (config.get("dynamic_batching") or {}).get("preferred_batch_size") or ()
    for position, size in enumerate(map(int, sizes)):
        place = ("dynamic_batching", "preferred_batch_size", position)
        if size <= 0:
            yield Refusal(
                f"dynamic batching preferred size must be positive for {name}", code="C211", place=place
            )
        elif size > most:
            yield Refusal(
                f"dynamic batching preferred size must be <= max batch size for {name}",
                code="C211",
                place=place,
            )


def _instances(config: Config) -> Iterator[Refusal]:
    name = config["name"]
    for position, group in enumerate(config.get("instance_group") or ()):
        if group.get("kind") == "KIND_GPU":
            called = group.get("name") or f"{name}_{position}"
            yield Refusal(
                f"instance group {called} of model {name} has kind KIND_GPU but no GPUs are available",
                code="C213",
                place=("instance_group", position, "kind"),
                fix="kind: KIND_AUTO takes a GPU where there is one, else the CPU",
            )


def _tensors(config: Config, io: Literal["input", "output"]) -> Iterator[Refusal]:
    for position, tensor in enumerate(tensors(config, io)):
        for code, part, what in _tensor(tensor, batched=max_batch_size(config) > 0):
            named = "" if what.startswith(("must specify 'name'", "NHWC")) else f"'{tensor.get('name')}' "
            place = (io, position, part) if part in tensor else (io, position)
            yield Refusal(f"model {io} {named}{what} for {config['name']}", code=code, place=place)


def _tensor(tensor: Config, *, batched: bool) -> Iterator[tuple[str, str, str]]:
    """Yield the code, the part and the words of what is wrong with one tensor."""
    dims = [int(dim) for dim in tensor.get("dims") or ()]
    if not tensor.get("name"):
        yield "C206", "name", "must specify 'name'"
    elif tensor.get("data_type") in (None, "", "TYPE_INVALID"):
        yield "C206", "data_type", "must specify 'data_type'"
    elif not dims:
        yield "C206", "dims", "must specify 'dims'"
    elif not all(map(_is_dim, dims)):
        yield "C207", "dims", "dimension must be integer >= 1, or -1 to indicate a variable-size dimension"
    elif tensor.get("reshape") is not None:
        shape = [int(dim) for dim in tensor["reshape"].get("shape") or ()]
        yield from (("C208", "reshape", what) for what in _reshape(dims, shape, batched=batched))
    if tensor.get("format") in ("FORMAT_NHWC", "FORMAT_NCHW") and len(dims) != _IMAGE_RANK:
        yield "C209", "format", "NHWC/NCHW require 3 dims"


def _reshape(dims: list[int], shape: list[int], *, batched: bool) -> Iterator[str]:
    if not shape and not batched:
        yield "cannot have empty reshape for non-batching model as scalar tensors are not supported"
    elif not all(map(_is_dim, shape)):
        yield "reshape dimensions must be integer >= 1, or -1 to indicate a variable-size dimension"
    elif dims.count(BATCHED_DIM) != shape.count(BATCHED_DIM):
        yield "has different number of variable-size dimensions for dims and reshape"
    elif _sizes(dims) != _sizes(shape):
        yield "has different size for dims and reshape"


def _is_dim(dim: int) -> bool:
    return dim >= 1 or dim == BATCHED_DIM


def _sizes(dims: list[int]) -> list[int]:
    """Return the number of elements before, between and after the variable dims."""
    found: list[list[int]] = [[]]
    for dim in dims:
        if dim == BATCHED_DIM:
            found.append([])
        else:
            found[-1].append(dim)
    return [math.prod(part) for part in found]
