"""Triton's own schema of config.pbtxt, as tritonclient ships it."""

from functools import cache
from importlib import util
from pathlib import Path
from types import ModuleType
from typing import Any

from builder.spec.model_config import ConfigTensor, InstanceGroup, ModelConfig, Warmup, WarmupInput


def parse(text: str) -> Any:
    """Return the `ModelConfig` message that `text` holds.

    Raises:
        google.protobuf.text_format.ParseError: Triton could not read it either.
    """
    from google.protobuf import text_format

    return text_format.Parse(text, schema().ModelConfig())


def message(config: ModelConfig) -> Any:
    """Return `config` as the `ModelConfig` message that Triton should read."""
    built = schema().ModelConfig(
        name=config.name,
        platform=config.platform,
        backend=config.backend,
        max_batch_size=config.max_batch_size,
        version_policy={"latest": {"num_versions": config.num_versions}},
        input=[_tensor(one) for one in config.inputs],
        output=[_tensor(one) for one in config.outputs],
        instance_group=[_group(one) for one in config.instance_group],
        parameters={key: {"string_value": value} for key, value in config.parameters.items()},
        model_warmup=[_warmup(one) for one in config.warmups],
    )
    if batching := config.dynamic_batching:
        built.dynamic_batching.preferred_batch_size.extend(batching.preferred_batch_size)
        built.dynamic_batching.max_queue_delay_microseconds = batching.max_queue_delay_microseconds
        built.dynamic_batching.SetInParent()
    return built


@cache
def schema() -> ModuleType:
    """Return tritonclient's generated module, without the gRPC client around it: 30 ms instead of 160."""
    found = util.find_spec("tritonclient")
    assert found is not None, "tritonclient is a dependency of trb"
    assert found.submodule_search_locations is not None, "tritonclient is a package"
    path = Path(found.submodule_search_locations[0]) / "grpc" / "model_config_pb2.py"
    alone = util.spec_from_file_location("model_config_pb2", path)
    assert alone is not None, f"{path} is Python"
    assert alone.loader is not None, f"{path} is Python"
    module = util.module_from_spec(alone)
    alone.loader.exec_module(module)
    return module


def _tensor(tensor: ConfigTensor) -> dict[str, Any]:
    fields = {"name": tensor.name, "data_type": tensor.dtype.triton, "dims": tensor.dims}
    return fields if tensor.reshape is None else {**fields, "reshape": {"shape": tensor.reshape}}


def _group(group: InstanceGroup) -> dict[str, Any]:
    return {"kind": group.kind, "count": group.count, "gpus": group.gpus}


def _warmup(warmup: Warmup) -> dict[str, Any]:
    inputs = {name: _warmup_input(one) for name, one in warmup.inputs.items()}
    return {"name": warmup.name, "batch_size": warmup.batch_size, "count": warmup.count, "inputs": inputs}


def _warmup_input(one: WarmupInput) -> dict[str, Any]:
    data = {"zero_data": True} if one.data_file is None else {"input_data_file": one.data_file}
    return {"data_type": one.dtype.triton, "dims": one.dims, **data}
