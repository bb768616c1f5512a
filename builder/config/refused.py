"""What the target release would refuse of a model, found before it is published."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from google.protobuf.json_format import MessageToDict

from builder.config.message import message
from builder.errors import ExportError
from builder.rules import core, onnxruntime, pytorch
from builder.rules.refusal import BATCHED_DIM, Config, ModelTensor, Refusal
from builder.runtimes import open_module, open_session
from builder.spec.artifact import Artifact
from builder.spec.model_config import ModelConfig
from builder.spec.project import Backend
from builder.spec.releases import Release

_FIXES: Final = {
    "load": "change what it names in trb.yaml; `triton:` says for which release the model is built",
    "request": "give its tensors other names in trb.yaml (`inputs`, `output_names`), not ending in `__<number>`",
    "crash": "give its tensors other names in trb.yaml (`inputs`, `output_names`), not ending in `__<number>`",
}


def require_served(config: ModelConfig, artifact: Artifact, release: Release) -> None:
    """Make sure that Triton `release` loads the file under `config` and answers with the right tensors.

    Raises:
        ExportError: it does not, in the server's own words as far as it has any.
    """
    plain = MessageToDict(message(config), preserving_proto_field_name=True)
    # Where the model will run is not known here; a server without the GPUs that the spec asks for says so itself.
    refused = [
        *core.check(plain, folder=config.name, has_gpu=True),
        *_BACKENDS[artifact.backend](plain, artifact, release),
    ]
    if refused:
        told = "\n".join(f"  {refusal.message}" for refusal in refused)
        raise ExportError(
            f"{config.name}: Triton {release.name} would not serve it:\n{told}", fix=_FIXES[refused[0].kind]
        )


def _onnx(config: Config, artifact: Artifact, release: Release) -> Iterable[Refusal]:
    session = open_session(artifact.path, threads=1)
    limits = {"max_opset": release.max_opset, "max_ir": release.max_ir}
    yield from onnxruntime.over_limits(opset=artifact.opset, ir=artifact.ir_version, **limits)
    yield from onnxruntime.check(
        config,
        [_as_seen(node) for node in session.get_inputs()],
        [_as_seen(node) for node in session.get_outputs()],
        initializers=[_as_seen(node) for node in session.get_overridable_initializers()],
        bf16=release.key >= onnxruntime.BF16_SINCE,
    )


def _as_seen(node: Any) -> ModelTensor:
    shape = tuple(dim if isinstance(dim, int) and dim >= 0 else BATCHED_DIM for dim in node.shape)
    return ModelTensor(node.name, node.type, shape)


def _torchscript(config: Config, artifact: Artifact, _: Release) -> Iterable[Refusal]:
    schema = open_module(artifact.path).forward.schema
    arguments = [pytorch.Argument(one.name, one.type.kind(), str(one.type)) for one in schema.arguments[1:]]
    yield from pytorch.check(config, arguments)
    yield from pytorch.misplaced(config, arguments)


_BACKENDS: Final[Mapping[Backend, Callable[[Config, Artifact, Release], Iterable[Refusal]]]] = {
    Backend.ONNX: _onnx,
    Backend.TORCHSCRIPT: _torchscript,
}
