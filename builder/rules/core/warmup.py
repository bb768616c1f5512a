"""`model_warmup`: requests that the core makes itself before a model is ready, and sends past its own queue."""

import math
from collections.abc import Iterator
from typing import Final, NamedTuple

from builder.rules.core.files import Files, unread
from builder.rules.core.sizes import byte_size, dims_of
from builder.rules.core.strings import miscounted
from builder.rules.refusal import BATCHED_DIM, Config, Place, Refusal, max_batch_size, shape_text, tensors

FOLDER: Final = "warmup"
STRING: Final = "TYPE_STRING"
_DATA: Final = ("zero_data", "random_data", "input_data_file")
_COUNTING: Final = ("onnxruntime", "pytorch", "python", "tensorrt", "openvino", "tensorflow")
"""The backends that refuse a batch beyond the largest; the scheduler, which never forms one, is passed over."""
_UNSIZED: Final = 4
"""Bytes that the core makes for an element that has no size of its own."""
_ID: Final = "[request id: <id_unknown>] "


class _Sample(NamedTuple):
    """One entry of `model_warmup`."""

    value: Config
    place: Place

    @property
    def batch_size(self) -> int:
        return int(self.value.get("batch_size") or 0)

    @property
    def inputs(self) -> Config:
        found: Config = self.value.get("inputs") or {}
        return found


def check(config: Config, files: Files | None) -> Iterator[Refusal]:
    """Yield what keeps a sample from being made, or from being answered."""
    groups = config.get("instance_group") or ()
    if groups and all(group.get("passive") for group in groups):
        return
    for position, value in enumerate(config.get("model_warmup") or ()):
        sample = _Sample(value, ("model_warmup", position))
        if sample.batch_size > 0:
            yield from _sample(config, sample, files)


def _sample(config: Config, sample: _Sample, files: Files | None) -> Iterator[Refusal]:
    declared = {tensor.get("name"): tensor for tensor in tensors(config, "input")}
    for name, given in sample.inputs.items():
        place: Place = (*sample.place, "inputs", name)
        made = list(_data(name, given, place, files))
        yield from made
        if not made and name in declared:
            yield from _against(config, declared[name], given, place, files)
    yield from _missing(config, sample)
    yield from _too_many(config, sample)


def _data(name: str, given: Config, place: Place, files: Files | None) -> Iterator[Refusal]:
    if BATCHED_DIM in dims_of(given):
        yield Refusal(
            f"warmup setting expects all variable-size dimensions are specified for input '{name}'",
            code="C223",
            place=(*place, "dims"),
            fix="name a size, as a request would",
        )
    elif not any(part in given for part in _DATA):
        yield Refusal(
            f"{_ID}warmup setting expects input '{name}' to have input_data_type set",
            code="C223",
            place=place,
            fix="zero_data: true",
        )
    elif "input_data_file" in given and files is not None:
        yield from _file(given, files, (*place, "input_data_file"))


def _file(given: Config, files: Files, place: Place) -> Iterator[Refusal]:
    path = f"{FOLDER}/{given['input_data_file']}"
    if refusal := unread(path, files, code="C224", place=place):
        yield refusal
        return
    elements = math.prod(dims_of(given)) if dims_of(given) else 0
    needed, has = byte_size(_type(given), dims_of(given)) or elements * _UNSIZED, files.size(path) or 0
    if _type(given) != STRING and needed > has:
        yield Refusal(
            f"{_ID}warmup setting expects {needed} bytes, but the data provided from {given['input_data_file']} only "
            f"has {has} bytes",
            code="C224",
            place=place,
            file=path,
            fix="give the file a value for each element of the sample's `dims`, or correct these",
        )


def _against(
    config: Config, declared: Config, given: Config, place: Place, files: Files | None
) -> Iterator[Refusal]:
    """Yield how an input of the sample differs from the one that the config declares."""
    name, model = declared["name"], config["name"]
    if _type(given) != declared.get("data_type"):
        wire = {"TYPE_INVALID": "<invalid>", STRING: "BYTES"}
        sent, wanted = (
            wire.get(one) or one.removeprefix("TYPE_")
            for one in (_type(given), str(declared.get("data_type")))
        )
        yield Refusal(
            f"{_ID}inference input '{name}' data-type is '{sent}', but model '{model}' expects '{wanted}'",
            code="C223",
            place=(*place, "data_type") if "data_type" in given else place,
            fix=f"data_type: {declared.get('data_type')}",
        )
    elif not _is_shape(dims_of(given), dims_of(declared)):
        batched = max_batch_size(config) > 0
        sent_shape = [1] * batched + dims_of(given)
        wanted_shape = [BATCHED_DIM] * batched + dims_of(declared)
        yield Refusal(
            f"{_ID}unexpected shape for input '{name}' for model '{model}'. Expected {shape_text(wanted_shape)}, got "
            f"{shape_text(sent_shape)}",
            code="C223",
            place=(*place, "dims") if "dims" in given else place,
            fix="the dims of a sample are those of the input, sizes in place of -1, without the batch",
        )
    elif math.prod(dims_of(given)) < 0:
        yield Refusal(
            f"{_ID}input byte size mismatch for input '{name}' for model '{model}'",
            code="C223",
            place=(*place, "dims"),
        )
    elif _type(given) == STRING and "input_data_file" in given and files is not None:
        yield from _strings(config, name, given, (*place, "input_data_file"), files)


def _strings(config: Config, name: str, given: Config, place: Place, files: Files) -> Iterator[Refusal]:
    path = f"{FOLDER}/{given['input_data_file']}"
    content = files.content(path)
    if content is None:
        return
    if problem := miscounted(content, math.prod(dims_of(given)), f"input '{name}'", config["name"]):
        yield Refusal(
            f"{_ID}{problem}",
            code="C224",
            place=place,
            file=path,
            fix="write each text as its length in four bytes, the lowest first, and its bytes",
        )


def _is_shape(sent: list[int], declared: list[int]) -> bool:
    return len(sent) == len(declared) and all(
        wanted in (BATCHED_DIM, size) for size, wanted in zip(sent, declared, strict=True)
    )


def _missing(config: Config, sample: _Sample) -> Iterator[Refusal]:
    declared = [tensor.get("name") for tensor in tensors(config, "input")]
    required = [tensor.get("name") for tensor in tensors(config, "input") if not tensor.get("optional")]
    given = [name for name in sample.inputs if name in declared]
    if len(given) >= len(required):
        return
    expected = f"{len(declared)} inputs"
    if len(required) < len(declared):
        expected = f"number of inputs between {len(required)} and {len(declared)}"
    yield Refusal(
        f"{_ID}expected {expected} but got {len(given)} inputs for model '{config['name']}'. Got input(s) {given}, but "
        f"missing required input(s) {[name for name in required if name not in given]}. Please provide all required "
        "input(s).",
        code="C223",
        place=sample.place,
    )


def _too_many(config: Config, sample: _Sample) -> Iterator[Refusal]:
    most = max_batch_size(config)
    if config.get("backend") in _COUNTING and sample.batch_size > max(most, 1):
        yield Refusal(
            f"failed to run warmup sample '{sample.value.get('name') or ''}': batch size {sample.batch_size} for "
            f"'{config['name']}_0', max allowed is {most}",
            code="C223",
            place=(*sample.place, "batch_size"),
            fix=f"batch_size: {max(most, 1)}",
        )


def _type(given: Config) -> str:
    return str(given.get("data_type") or "TYPE_INVALID")
