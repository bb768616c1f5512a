"""Whole configs as a person reads them; `make golden` writes them anew, and the diff is read as code."""

import os
from pathlib import Path

import pytest

from builder import config
from builder.spec.dtypes import DType
from builder.spec.loaded import Loaded
from builder.spec.project import Axis, Backend, Batching, Instances
from tests.unit.config.values import (
    IMAGE,
    ONNX,
    SCORES,
    STATES,
    TEXT,
    TORCHSCRIPT,
    Shapes,
    artifact,
    loaded,
    proof,
)

GOLDEN = Path(__file__).parents[2] / "golden" / "config"
LSTM_IN: Shapes = {
    "words": (DType.INT64, ("batch", "time")),
    "hidden": (DType.FP32, ("batch", 2, 32)),
}
LSTM_OUT: Shapes = {
    "tags": (DType.FP32, ("batch", "time", 5)),
    "hidden_out": (DType.FP32, ("batch", 2, 32)),
}
CASES: dict[str, tuple[Loaded, Backend, int]] = {
    "image": (loaded(IMAGE, SCORES, dims={"batch": Axis(max=64)}), ONNX, 64),
    "image_torchscript": (loaded(IMAGE, SCORES, keep_versions=2), TORCHSCRIPT, 8),
    "text_two_instances": (
        loaded(
            TEXT,
            STATES,
            dims={"batch": Axis(max=16), "seq": Axis(max=128)},
            instances=Instances(count=2, kind="cpu", cores=8),
            batching=Batching(queue_delay_us=500, preferred_sizes=(4, 8)),
            parameters={"enable_mem_arena": "0"},
        ),
        ONNX,
        16,
    ),
    "tagger_not_batched": (
        loaded(LSTM_IN, LSTM_OUT, dims={"batch": Axis(max=4), "time": Axis(max=50)}),
        ONNX,
        0,
    ),
    "strings": (
        loaded({"text": (DType.STRING, ("batch", 1))}, {"same": (DType.STRING, ("batch", 1))}, warmup=False),
        ONNX,
        8,
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_golden_config(case: str, tmp_path: Path) -> None:
    """The config and warmup of a spec are those on record, to the byte."""
    one, backend, largest = CASES[case]
    config.write(config.make(case, one, artifact(one, backend), proof(largest)), one, into=tmp_path)
    made = {
        str(path.relative_to(tmp_path)): path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()
    }
    if os.environ.get("TRB_GOLDEN") == "write":
        rewrite(GOLDEN / case, made)

    wanted = {
        str(path.relative_to(GOLDEN / case)): path.read_bytes()
        for path in (GOLDEN / case).rglob("*")
        if path.is_file()
    }
    assert made.keys() == wanted.keys()
    assert made["config.pbtxt"].decode() == wanted["config.pbtxt"].decode()
    assert made == wanted


def rewrite(folder: Path, files: dict[str, bytes]) -> None:
    for path in folder.rglob("*"):
        if path.is_file():
            path.unlink()
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
