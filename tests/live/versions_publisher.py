"""A program that publishes versions of one model, of alternating signatures, until it is killed."""

import sys
import time
from pathlib import Path

import onnx
from onnx import TensorProto, helper

from builder import config, repository
from builder.spec.dtypes import DType
from builder.spec.loaded import Loaded
from builder.spec.project import Batching
from tests.unit.config.values import ONNX, Shapes, artifact, loaded, proof
from tests.unit.repository.values import record

INPUTS: Shapes = {"x": (DType.FP32, ("batch", 4))}
ODD: Shapes = {"y": (DType.FP32, ("batch", 4))}
EVEN: Shapes = ODD | {"more": (DType.FP32, ("batch", 4))}


def publish(root: Path, number: int) -> None:
    """Even versions have an output more than odd ones: neither file loads under the other's config."""
    one = loaded(INPUTS, ODD if number % 2 else EVEN, batching=Batching(queue_delay_us=number))
    stage = repository.stage(root, "m")
    (stage / "version").mkdir()
    onnx.save(graph(one, number), stage / "version" / ONNX.filename)
    config.write(config.make("m", one, artifact(one), proof(8)), one, into=stage)
    facts = record(one.signature.inputs, one.signature.outputs)
    repository.publish(root, "m", stage, facts, allow_new_signature=True)


def graph(one: Loaded, number: int) -> onnx.ModelProto:
    """Every output is the input."""
    inputs, outputs = (
        [helper.make_tensor_value_info(tensor.name, TensorProto.FLOAT, tensor.shape) for tensor in side]
        for side in (one.signature.inputs, one.signature.outputs)
    )
    nodes = [helper.make_node("Identity", ["x"], [tensor.name]) for tensor in one.signature.outputs]
    made = helper.make_graph(nodes, f"version {number}", inputs, outputs)
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def main(root: Path, pause_s: float) -> None:
    """Publish the next version, and the next."""
    with repository.lock(root):
        repository.recover(root)
        print("publishing", flush=True)  # noqa: T201 - the test waits for it
        while True:
            newest = repository.versions(root, "m")[-1:]
            publish(root, newest[0].version + 1 if newest else 1)
            time.sleep(pause_s)


if __name__ == "__main__":
    main(Path(sys.argv[1]), float(sys.argv[2]))
