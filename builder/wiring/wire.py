"""From the steps of trb.yaml to a pipeline whose tensors all meet."""

from collections.abc import Mapping
from dataclasses import replace

from builder.spec.pipeline import Wired, WiredStep
from builder.spec.project import Backend, Pipeline
from builder.spec.tensors import Signature, Tensor
from builder.wiring.agreement import broken_promises, disagreements
from builder.wiring.axes import BATCH, Axes
from builder.wiring.known import Face, Known
from builder.wiring.laid import Laid, lay, models_of, wanted
from builder.wiring.mistake import Mistake
from builder.wiring.names import doubled, map_keys, unmade, unmet, unused
from builder.wiring.sizes import clashes, sizes


def mistakes(pipeline: Pipeline, models: Mapping[str, Known]) -> tuple[Mistake, ...]:
    """Return all that is wrong with how the steps of `pipeline` are joined.

    Args:
        pipeline: its entry in trb.yaml.
        models: what is known of each step's model, by name; what follows from one that is missing is not said.
    """
    laid = lay(pipeline, models)
    loose = (*map_keys(pipeline, models), *unmet(pipeline, laid), *unmade(pipeline, laid))
    apart = (*disagreements(pipeline, laid), *broken_promises(pipeline, laid))
    spare = unused(pipeline, laid) if not (loose or apart) else ()  # which may be what belongs there
    found = (*loose, *doubled(pipeline, laid), *spare, *apart)
    if found or not all(_is_typed(models.get(name)) for name in models_of(pipeline)):
        return found
    return tuple(clashes(wire("", pipeline, models), models))


def wire(name: str, pipeline: Pipeline, models: Mapping[str, Known]) -> Wired:
    """Return the pipeline with every tensor known.

    Args:
        name: the pipeline's.
        pipeline: its entry, without mistakes.
        models: every step's model, all of it known.
    """
    laid = lay(pipeline, models)
    found = Axes()
    tensors: dict[str, Tensor] = {}
    for step in laid:
        for own, tensor in step.reads.items():
            face = step.known.inputs[own]
            if tensor in tensors:
                found.join(step, face, tensors[tensor].shape)
            else:
                tensors[tensor] = _tensor(tensor, face, found.sent(step, face))
        for own, tensor in step.gives.items():
            if wanted(pipeline, laid, tensor, step):
                face = step.known.outputs[own]
                tensors[tensor] = _tensor(tensor, face, found.given(step, face))
    return Wired(
        name=name,
        steps=tuple(_step(pipeline, laid, step) for step in laid),
        inputs=pipeline.inputs,
        outputs=tuple(pipeline.outputs),
        tensors={
            name: replace(tensor, shape=tuple(found.final(dim) for dim in tensor.shape))
            for name, tensor in tensors.items()
        },
        max_batch_size=min((step.known.max_batch_size or 0 for step in laid), default=0),
    )


def _tensor(name: str, face: Face, shape: tuple[int | str, ...]) -> Tensor:
    assert face.dtype is not None, f"{name} is known"
    return Tensor(name=name, dtype=face.dtype, shape=shape)


def _step(pipeline: Pipeline, laid: tuple[Laid, ...], step: Laid) -> WiredStep:
    return WiredStep(
        name=step.name,
        model=step.model,
        backend=step.known.backend,
        signature=Signature(inputs=_whole(step.known.inputs), outputs=_whole(step.known.outputs)),
        max_batch_size=step.known.max_batch_size or 0,
        inputs=dict(step.reads),
        outputs={own: name for own, name in step.gives.items() if wanted(pipeline, laid, name, step)},
    )


def _whole(faces: Mapping[str, Face]) -> tuple[Tensor, ...]:
    return tuple(_tensor(name, face, face.shape or ()) for name, face in faces.items())


def as_step(pipeline: Pipeline, models: Mapping[str, Known]) -> Known:
    """Return a pipeline as another that has it as a step sees it.

    Args:
        pipeline: its entry; where it has mistakes, its tensors have names and nothing else.
        models: what is known of its own steps' models.
    """
    names = Known(
        backend=Backend.ENSEMBLE.triton,
        inputs={name: Face() for name in pipeline.inputs},
        outputs={name: Face() for name in pipeline.outputs},
    )
    parts = models_of(pipeline)
    if not all(_is_typed(models.get(name)) for name in parts) or mistakes(pipeline, models):
        return names
    wired = wire("", pipeline, models)
    limits = [models[name].max_batch_size for name in parts]
    return replace(
        names,
        inputs={name: Face(dtype=t.dtype, shape=t.shape) for name, t in _tensors(wired, wired.inputs)},
        outputs={name: Face(dtype=t.dtype, shape=t.shape) for name, t in _tensors(wired, wired.outputs)},
        max_batch_size=None if None in limits else wired.max_batch_size,
        batch_axis=BATCH,
        axes={axis: limits for axis, limits in sizes(wired, models).items() if axis != BATCH},
    )


def _is_typed(known: Known | None) -> bool:
    if known is None:
        return False
    faces = (*known.inputs.values(), *known.outputs.values())
    return known.is_whole and all(face.dtype is not None and face.shape is not None for face in faces)


def _tensors(wired: Wired, names: tuple[str, ...]) -> list[tuple[str, Tensor]]:
    return [(name, wired.tensors[name]) for name in names]
