"""The config of a pipeline: an ensemble, which has neither a file nor instances nor a warmup of its own."""

from typing import Final

from builder.spec.model_config import ConfigTensor, EnsembleStep, ModelConfig
from builder.spec.pipeline import Wired, WiredStep
from builder.spec.tensors import Tensor

_NEWEST: Final = -1


def make_ensemble(wired: Wired) -> ModelConfig:
    """Return the config of a pipeline.

    Its steps are named without a version: a step that is built again takes the old one's place at once, and a number
    would keep the ensemble from loading as soon as that version is no longer served. So an older version of a pipeline
    would answer like the newest, and that alone is served.
    """
    signature = wired.signature
    return ModelConfig(
        name=wired.name,
        backend="",
        platform="ensemble",
        max_batch_size=wired.max_batch_size,
        inputs=tuple(_tensor(one, wired, wired.readers(one.name)) for one in signature.inputs),
        outputs=tuple(_tensor(one, wired, _givers(wired, one.name)) for one in signature.outputs),
        steps=tuple(
            EnsembleStep(
                model_name=step.model,
                model_version=_NEWEST,
                input_map=step.inputs,
                output_map=step.outputs,
            )
            for step in wired.steps
        ),
    )


def _givers(wired: Wired, name: str) -> tuple[WiredStep, ...]:
    giver = wired.giver(name)
    return (giver,) if giver is not None else ()


def _tensor(tensor: Tensor, wired: Wired, steps: tuple[WiredStep, ...]) -> ConfigTensor:
    """Return the tensor as clients see it.

    One of nothing but the batch has one dim of 1, as in its own model; where the pipeline does not batch and that
    model does, the dim stands behind the batch.
    """
    dims = tuple(-1 if isinstance(dim, str) else dim for dim in tensor.shape)
    if wired.max_batch_size:
        dims = dims[1:] or (1,)
    elif len(dims) == 1 and any(step.max_batch_size for step in steps):
        dims = (*dims, 1)
    return ConfigTensor(name=tensor.name, dtype=tensor.dtype, dims=dims or (1,))
