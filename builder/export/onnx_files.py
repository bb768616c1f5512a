"""An ONNX graph on disk: one file, or one file and its weights beside it."""

from pathlib import Path
from typing import Final

import onnx
from onnx.external_data_helper import convert_model_to_external_data

EXTERNAL_ABOVE_BYTES: Final = 1_500_000_000
"""Weights above this go to a file of their own: a protobuf message ends at 2 GB."""
_DATA_SUFFIX: Final = ".data"


def write(proto: onnx.ModelProto, path: Path, *, external_above_bytes: int = EXTERNAL_ABOVE_BYTES) -> None:
    """Write `proto` to `path`; weights of more than `external_above_bytes` go to `path` + `.data`."""
    if _weight_bytes(proto) > external_above_bytes:
        data = path.with_name(path.name + _DATA_SUFFIX)
        data.unlink(missing_ok=True)  # onnx would append to it
        convert_model_to_external_data(proto, all_tensors_to_one_file=True, location=data.name)
        onnx.save_model(proto, path)
    else:
        path.write_bytes(proto.SerializeToString(deterministic=True))


def remove(path: Path) -> None:
    """Remove what `write` wrote."""
    path.unlink(missing_ok=True)
    path.with_name(path.name + _DATA_SUFFIX).unlink(missing_ok=True)


def _weight_bytes(proto: onnx.ModelProto) -> int:
    return sum(tensor.ByteSize() for tensor in proto.graph.initializer)
