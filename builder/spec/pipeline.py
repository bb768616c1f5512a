"""A pipeline whose steps are known: every tensor has a dtype and a shape, and every step knows what it is fed."""

from collections.abc import Mapping
from dataclasses import dataclass

from builder.spec.project import Backend
from builder.spec.tensors import Signature, Tensor


@dataclass(frozen=True, slots=True, kw_only=True)
class WiredStep:
    """One step and the tensors of the pipeline that its own are."""

    name: str
    """Names the step in messages: the model's, with `#2` behind it for the second step of that model."""
    model: str
    """Its name in the repository."""
    version: int = -1
    """The version that the pipeline asks for: config.pbtxt's `model_version`; -1: the newest."""
    backend: str
    """Triton's: onnxruntime, pytorch, python; `ensemble` for a pipeline."""
    signature: Signature
    """The model's own."""
    max_batch_size: int
    """The model's; 0: it does not batch."""
    inputs: Mapping[str, str]
    """The pipeline's name of each input of the model: config.pbtxt's `input_map`."""
    outputs: Mapping[str, str]
    """The pipeline's name of each output that something reads: config.pbtxt's `output_map`."""

    @property
    def is_graph(self) -> bool:
        """Whether it can be merged with its neighbours."""
        return any(self.backend == one.triton for one in Backend if one.is_graph)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wired:
    """A pipeline whose tensors all meet."""

    name: str
    steps: tuple[WiredStep, ...]
    """In an order in which they can run."""
    inputs: tuple[str, ...]
    """The tensors that clients send, in the order of trb.yaml."""
    outputs: tuple[str, ...]
    """The tensors that clients get."""
    tensors: Mapping[str, Tensor]
    """Every tensor of the pipeline by its name there. Full shapes; the batch axis is called as in the step that first
    has the tensor."""
    max_batch_size: int
    """The smallest of the steps'; 0: one of them does not batch."""

    @property
    def signature(self) -> Signature:
        """What clients see."""
        return Signature(
            inputs=tuple(self.tensors[name] for name in self.inputs),
            outputs=tuple(self.tensors[name] for name in self.outputs),
        )

    def readers(self, tensor: str) -> tuple[WiredStep, ...]:
        """Return the steps that read `tensor`."""
        return tuple(step for step in self.steps if tensor in step.inputs.values())

    def giver(self, tensor: str) -> WiredStep | None:
        """Return the step that gives `tensor`; None: clients send it."""
        return next((step for step in self.steps if tensor in step.outputs.values()), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class PipelineNote:
    """`pipeline.json` in the version folder of a pipeline: what it is made of."""

    written: Wired
    """As trb.yaml has it: every step a model of its own."""
    served: Wired
    """As the ensemble has it: merged models in place of the steps that they are made of."""
    fused: Mapping[str, tuple[str, ...]]
    """The steps of each merged model, by its name in the repository."""
    versions: Mapping[str, str]
    """The hash of the version of each step's model that the pipeline was proven with, by the model's name."""
