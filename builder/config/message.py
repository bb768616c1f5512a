"""The `ModelConfig` message of a typed value."""

from typing import Any

from builder.pbtxt.schema import schema
from builder.spec.model_config import ConfigTensor, InstanceGroup, ModelConfig, Warmup, WarmupInput


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
    for step in config.steps:
        built.ensemble_scheduling.step.add(
            model_name=step.model_name,
            model_version=step.model_version,
            input_map=step.input_map,
            output_map=step.output_map,
        )
    return built


def _tensor(tensor: ConfigTensor) -> dict[str, Any]:
    fields = {"name": tensor.name, "data_type": tensor.dtype.triton, "dims": tensor.dims}
    if tensor.label_filename:
        fields["label_filename"] = tensor.label_filename
    return fields if tensor.reshape is None else {**fields, "reshape": {"shape": tensor.reshape}}


def _group(group: InstanceGroup) -> dict[str, Any]:
    return {"kind": group.kind, "count": group.count, "gpus": group.gpus}


def _warmup(warmup: Warmup) -> dict[str, Any]:
    inputs = {name: _warmup_input(one) for name, one in warmup.inputs.items()}
    return {"name": warmup.name, "batch_size": warmup.batch_size, "count": warmup.count, "inputs": inputs}


def _warmup_input(one: WarmupInput) -> dict[str, Any]:
    data = {"zero_data": True} if one.data_file is None else {"input_data_file": one.data_file}
    return {"data_type": one.dtype.triton, "dims": one.dims, **data}
