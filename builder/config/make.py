"""Every decision of config.pbtxt."""

from dataclasses import replace
from typing import Final

from builder.config.labels import label_file
from builder.config.threads import thread_parameters
from builder.config.warmup import warmups
from builder.spec.artifact import Artifact, BatchProof
from builder.spec.loaded import Loaded
from builder.spec.model_config import ConfigTensor, DynamicBatching, InstanceGroup, ModelConfig
from builder.spec.project import Backend, Instances, Model
from builder.spec.tensors import Tensor

_KINDS: Final = {"auto": "KIND_AUTO", "cpu": "KIND_CPU", "gpu": "KIND_GPU"}


def make(
    triton_name: str,
    loaded: Loaded,
    artifact: Artifact,
    proof: BatchProof,
    *,
    cores: int | None = None,
) -> ModelConfig:
    """Return the config of an exported file, as its backend asks for it.

    Args:
        triton_name: the model's name in the repository.
        loaded: its entry in the spec, and the samples to warm up with.
        artifact: the file; its signature, and not the spec's, is what the backend compares.
        proof: the batch size that the file was proven for.
        cores: cores that the instances share; those the spec names, else those of this machine, when None.

    Raises:
        SpecError: an integer input has neither range nor samples to warm up with.
    """
    model, batched = loaded.model, proof.max_batch_size > 0
    inputs = tuple(_tensor(one, batched) for one in artifact.signature.inputs)
    threads = thread_parameters(artifact.backend, model.instances, cores)
    return ModelConfig(
        name=triton_name,
        backend=artifact.backend.triton,
        max_batch_size=proof.max_batch_size,
        inputs=inputs,
        outputs=tuple(_labelled(_tensor(one, batched), loaded) for one in artifact.signature.outputs),
        instance_group=(_instances(model.instances, artifact.backend),),
        dynamic_batching=_batching(model, proof.max_batch_size) if proof.joins_requests else None,
        num_versions=model.keep_versions,
        parameters=dict(sorted({**threads, **model.parameters}.items())),
        warmups=warmups(loaded, artifact.backend, inputs, proof.max_batch_size) if model.warmup else (),
    )


def _tensor(tensor: Tensor, batched: bool) -> ConfigTensor:
    """Leave out the batch axis; a tensor of nothing else, or without any axis, still needs one dim of 1."""
    shape = tensor.shape[1:] if batched else tensor.shape
    dims = tuple(-1 if isinstance(dim, str) else dim for dim in shape)
    if dims:
        return ConfigTensor(name=tensor.name, dtype=tensor.dtype, dims=dims)
    return ConfigTensor(name=tensor.name, dtype=tensor.dtype, dims=(1,), reshape=() if batched else None)


def _labelled(tensor: ConfigTensor, loaded: Loaded) -> ConfigTensor:
    labels = loaded.labels.get(tensor.name)
    return tensor if labels is None else replace(tensor, label_filename=label_file(tensor.name, labels))


def _instances(instances: Instances, backend: Backend) -> InstanceGroup:
    """Return the group with its count written out: onnxruntime's default on a CPU is two.

    A Python function runs on the CPU unless it is said to use a GPU.
    """
    kind = "cpu" if backend is Backend.PYTHON and instances.kind == "auto" else instances.kind
    return InstanceGroup(kind=_KINDS[kind], count=instances.count, gpus=instances.gpus)


def _batching(model: Model, max_batch_size: int) -> DynamicBatching | None:
    if max_batch_size <= 1:
        return None
    fitting = tuple(size for size in model.batching.preferred_sizes if size <= max_batch_size)
    return DynamicBatching(
        preferred_batch_size=tuple(sorted(set(fitting))),
        max_queue_delay_microseconds=model.batching.queue_delay_us,
    )
