"""Names by which Triton would take a model's tensors for one another, found before it is published."""

from google.protobuf.json_format import MessageToDict

from builder.config.message import message
from builder.errors import ExportError
from builder.rules import pytorch
from builder.runtimes import open_module
from builder.spec.artifact import Artifact
from builder.spec.model_config import ModelConfig
from builder.spec.project import Backend


def require_in_order(config: ModelConfig, artifact: Artifact) -> None:
    """Make sure that every tensor of `config` is the one of that place in the file.

    The config lists them in the file's own order. ONNX Runtime goes by name; the pytorch backend may not, and no
    server notices.

    Raises:
        ExportError: the backend would take one for another.
    """
    if artifact.backend is not Backend.TORCHSCRIPT:
        return
    plain = MessageToDict(message(config), preserving_proto_field_name=True)
    schema = open_module(artifact.path).forward.schema
    arguments = [pytorch.Argument(one.name, one.type.kind(), str(one.type)) for one in schema.arguments[1:]]
    if swapped := pytorch.misplaced(plain, arguments):
        told = "\n".join(f"  {refusal.message}" for refusal in swapped)
        raise ExportError(
            f"{config.name}: Triton would answer with the wrong tensors:\n{told}",
            fix="give its tensors other names in trb.yaml (`inputs`, `output_names`), not ending in `__<number>`",
        )
