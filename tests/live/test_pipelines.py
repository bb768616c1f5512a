"""Pipelines on a live server: what clients are told, and what the gate and the build say of steps that are wrong."""

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import tritonclient.grpc as triton_grpc
import tritonclient.http as triton_http
from tritonclient.utils import InferenceServerException

from builder.repository import read_live

Trb = Callable[..., subprocess.CompletedProcess[str]]

MODEL = """
import torch
from torch import nn


class Centre(nn.Module):
    def forward(self, raw):
        return raw - 8.0


class Weigh(nn.Module):
    def __init__(self):
        super().__init__()
        with torch.random.fork_rng():
            torch.manual_seed(0)
            self.layer = nn.Linear(4, 4)

    def forward(self, row):
        return self.layer(row)


class Total(nn.Module):
    def forward(self, weighed):
        return weighed.sum(dim=1, keepdim=True)
"""
MODELS = """
models:
  centre:
    source: model:Centre
    inputs: {raw: {dtype: fp32, shape: [batch, 4], range: [0, 16]}}
    output_names: [row]
  weigh:
    source: model:Weigh
    inputs: {row: {dtype: fp32, shape: [batch, 4], range: [-8, 8]}}
    output_names: [weighed]
  total:
    source: model:Total
    inputs: {weighed: {dtype: fp32, shape: [batch, 4], range: [-8, 8]}}
    output_names: [total]
"""
WHOLE = """
  whole:
    inputs: [raw]
    steps: [centre, weigh, total]
    outputs: [total]
"""


@pytest.fixture
def digits(walked: Callable[[str], Path]) -> list[bytes]:
    """Return eight image files."""
    return [path.read_bytes() for path in sorted((walked("digits_png") / "images").iterdir())[:8]]


@pytest.fixture
def grpc(live_example: Any) -> Any:
    """Connect to the served example of image files."""
    with triton_grpc.InferenceServerClient(live_example("digits_png").grpc) as client:
        yield client


def ask(client: Any, images: list[bytes]) -> list[bytes] | str:
    """Return the likeliest digit of each image, or what the server says of the request."""
    array = np.array([[image] for image in images], dtype=object).reshape(-1, 1)
    sent = triton_grpc.InferInput("image", [*array.shape], "BYTES")
    sent.set_data_from_numpy(array)
    try:
        return client.infer("digits_png", [sent]).as_numpy("digit")[:, 0].tolist()
    except InferenceServerException as error:
        return str(error.message())


@pytest.mark.slow
def test_a_corrupt_image_fails_its_own_request_and_no_other(grpc: Any, digits: list[bytes]) -> None:
    """Of eight requests at once seven are answered, and the eighth is told which input, which row and PIL's words."""
    right = ask(grpc, digits)
    sent = [*digits[:3], b"no image at all", *digits[4:]]

    with ThreadPoolExecutor(8) as pool:
        answers = [*pool.map(lambda image: ask(grpc, [image]), sent)]

    said = answers.pop(3)
    assert answers == [[digit] for n, digit in enumerate(right) if n != 3]
    assert re.match(
        r"in ensemble 'digits_png', decode fails at row 0 \(image = 15 bytes\): UnidentifiedImageError: cannot "
        r"identify image file .* \(at steps.py:\d+\)$",
        said,
    )


@pytest.mark.slow
def test_a_batch_with_a_corrupt_image_fails_alone_and_names_the_row(grpc: Any, digits: list[bytes]) -> None:
    """One bad row of eight fails that request with its number, while requests beside it are answered."""
    right = ask(grpc, digits)
    sent = [digits, [*digits[:5], b"", *digits[6:]], digits, digits[:2]]

    with ThreadPoolExecutor(4) as pool:
        answers = [*pool.map(lambda images: ask(grpc, images), sent)]

    assert "decode fails at row 5 (image = 0 bytes): UnidentifiedImageError" in answers.pop(1)
    assert answers == [right, right, right[:2]]


@pytest.mark.slow
def test_an_empty_batch_is_refused_and_the_pipeline_goes_on(grpc: Any, digits: list[bytes]) -> None:
    """A request of no rows is told so, with the name of the input, and the next is answered."""
    assert "for inference input 'image' for model 'digits_png', got 0" in ask(grpc, [])
    assert len(ask(grpc, digits)) == len(digits)


@pytest.mark.slow
def test_a_number_where_a_file_belongs_is_refused(live_example: Any) -> None:
    """Over both protocols the client is told the input, and which type it has."""
    live = live_example("digits_png")
    for module, address in ((triton_grpc, live.grpc), (triton_http, live.http)):
        sent = module.InferInput("image", [1, 1], "INT64")
        sent.set_data_from_numpy(np.array([[7]]))
        with (
            module.InferenceServerClient(address) as client,
            pytest.raises(InferenceServerException, match="'INT64', but model 'digits_png' expects 'BYTES'"),
        ):
            client.infer("digits_png", [sent])


@pytest.fixture(scope="module")
def base(trb: Trb, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The three graphs, and all of them merged in a pipeline, built once."""
    folder = tmp_path_factory.mktemp("base")
    (folder / "model.py").write_text(MODEL)
    (folder / "trb.yaml").write_text(f"{MODELS}pipelines:{WHOLE}")
    trb("build", cwd=folder)
    return folder


@pytest.fixture
def project(base: Path, tmp_path: Path) -> Callable[..., Path]:
    """Copy it, with other pipelines in its trb.yaml, which are not built yet."""

    def copy(pipelines: str, models: str = MODELS) -> Path:
        folder = Path(shutil.copytree(base, tmp_path / "project"))
        (folder / "trb.yaml").write_text(f"{models}pipelines:{pipelines}")
        return folder

    return copy


def rows(trb: Trb, folder: Path, *args: str, expect: int = 0) -> dict[str, dict[str, Any]]:
    report = json.loads(trb("build", "--json", *args, cwd=folder, expect=expect).stdout)
    return {row["triton_name"]: row for row in report["models"]}


def checked(trb: Trb, folder: Path, *args: str, expect: int = 0) -> dict[str, dict[str, Any]]:
    report = json.loads(trb("check", "--json", *args, cwd=folder, expect=expect).stdout)
    return {model["model"]: model for model in report["models"]}


def parted(page: str) -> list[str]:
    """Return the hops of a check's page whose numbers part."""
    return [line.split("  ")[0] for line in page.splitlines() if line.endswith("FAIL")]


def alter(file: Path) -> None:
    """Change a weight of an ONNX file."""
    model = onnx.load(file)
    weight = model.graph.initializer[0]
    array = onnx.numpy_helper.to_array(weight)
    weight.CopyFrom(onnx.numpy_helper.from_array(array + np.ones_like(array), weight.name))
    onnx.save(model, file)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fuse", "altered"),
    [("false", "weigh"), ("true", "whole_fused")],
    ids=["a step of its own", "the merged steps"],
)
def test_a_step_that_is_served_otherwise_is_named(fuse: str, altered: str, project: Any, trb: Trb) -> None:
    """The gate fails with the code for numbers, and the first hop that parts is that of the altered step."""
    folder = project(f"{WHOLE}    fuse: {fuse}\n")
    rows(trb, folder)
    alter(folder / "model_repository" / altered / "1" / "model.onnx")

    said = trb("check", "whole", cwd=folder, expect=7).stdout

    steps = [hop for hop in parted(said) if hop.startswith("step ")]
    assert steps == parted(said)[:1] == [f"step {altered}: alone on the server"]
    assert {"reference -> gRPC", "reference -> HTTP"} <= {*parted(said)}
    assert f"The first hop that diverges: step {altered}: alone on the server" in said


@pytest.mark.slow
def test_fuse_auto_keeps_the_form_that_answers_more(project: Any, trb: Trb) -> None:
    """The record has the figures of both forms, and the larger one's is served."""
    folder = project(f"{WHOLE}    fuse: auto\n")

    built = rows(trb, folder)

    (pick,) = (
        entry["value"] for entry in read_live(folder / "model_repository", "whole") if entry["kind"] == "fuse"
    )
    faster = "fused" if pick["fused"]["rows_per_s"] >= pick["steps"]["rows_per_s"] else "steps"
    assert pick["kept"] == faster
    assert min(pick[form][figure] for form in ("fused", "steps") for figure in ("rows_per_s", "p50_ms")) > 0
    assert ("whole_fused" in built) == (faster == "fused")
    assert any(note.startswith("fuse: auto kept the ") for note in built["whole"]["notes"])
    config = (folder / "model_repository/whole/config.pbtxt").read_text()
    assert ("whole_fused" in config) == (faster == "fused")
    assert checked(trb, folder, "whole")["whole"]["passed"]


@pytest.mark.slow
def test_steps_that_are_merged_no_more_leave_a_note(project: Any, trb: Trb) -> None:
    """With `fuse: false` after true, the build says which model is left over, and what to do about it."""
    folder = project(f"{WHOLE}    fuse: false\n")
    assert (folder / "model_repository/whole_fused").is_dir()

    built = rows(trb, folder)

    assert "whole_fused" not in built
    assert built["whole"]["notes"][-1] == (
        "whole_fused is no part of whole any more, and a server goes on loading it: remove its folder"
    )
    assert "whole_fused" not in (folder / "model_repository/whole/config.pbtxt").read_text()


BROKEN = """
  broken:
    source: model:Broken
    inputs: {weighed: {dtype: fp32, shape: [batch, 4]}}
    output_names: [ruin]
"""


@pytest.mark.slow
def test_a_step_that_is_not_built_fails_its_pipeline_and_no_other(project: Any, trb: Trb) -> None:
    """The pipeline's row names the step, its models are published, and another pipeline is built."""
    ruined = WHOLE.replace("whole", "ruined").replace("total", "broken", 1).replace("[total]", "[ruin]")
    folder = project(f"{WHOLE}{ruined}", MODELS + BROKEN)
    with (folder / "model.py").open("a") as text:
        text.write(
            "\n\nclass Broken(nn.Module):\n    def forward(self, weighed):\n        return weighed @ 1\n"
        )

    built = rows(trb, folder, expect=3)

    assert {name for name, row in built.items() if row["status"] == "failed"} == {"broken", "ruined"}
    assert built["ruined"]["error"].startswith("its step broken was not built")
    assert checked(trb, folder, "whole")["whole"]["passed"]


@pytest.mark.slow
def test_a_pipeline_in_a_pipeline_is_checked(project: Any, trb: Trb) -> None:
    """The inner one is built first, served as a step, and asked alone like any other."""
    inner = WHOLE.replace("whole", "inner").replace("weigh, total]", "weigh]").replace("[total]", "[weighed]")
    outer = WHOLE.replace("whole", "outer").replace("[centre, weigh, total]", "[inner, total]")
    folder = project(f"{outer}{inner}")

    built = rows(trb, folder)

    assert built["inner"]["status"] == built["outer"]["status"] == "built"
    outer = checked(trb, folder, "outer")["outer"]
    assert outer["passed"]
    assert {"step inner: alone on the server", "step total: alone on the server"} <= {
        hop["name"] for hop in outer["hops"]
    }


@pytest.mark.slow
def test_a_model_that_only_lies_in_the_repository_is_a_step(project: Any, trb: Trb) -> None:
    """Its own file is its reference: the pipeline is built, merged with it, and checked."""
    folder = project(WHOLE.replace("whole", "mixed").replace("weigh, total", "weigh, adds"))
    lay_adds(folder / "model_repository" / "adds")

    built = rows(trb, folder)
    mixed = checked(trb, folder, "mixed")["mixed"]

    assert built["mixed_fused"]["status"] == built["mixed"]["status"] == "built"
    assert mixed["passed"]
    assert "step adds: alone on the server" in {hop["name"] for hop in mixed["hops"]}


CONFIG = """
backend: "onnxruntime"
max_batch_size: 4
input { name: "weighed" data_type: TYPE_FP32 dims: [4] }
output { name: "total" data_type: TYPE_FP32 dims: [1] }
"""


def lay_adds(folder: Path) -> None:
    """Write a model by hand that adds its rows."""
    helper = onnx.helper
    graph = helper.make_graph(
        [helper.make_node("ReduceSum", ["weighed", "axes"], ["total"], keepdims=1)],
        "total",
        [helper.make_tensor_value_info("weighed", onnx.TensorProto.FLOAT, ["n", 4])],
        [helper.make_tensor_value_info("total", onnx.TensorProto.FLOAT, ["n", 1])],
        [onnx.numpy_helper.from_array(np.array([1]), "axes")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    (folder / "1").mkdir(parents=True)
    onnx.save(model, folder / "1" / "model.onnx")
    (folder / "config.pbtxt").write_text(CONFIG)
