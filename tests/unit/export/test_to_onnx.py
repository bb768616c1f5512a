"""Exports to ONNX."""

from dataclasses import replace

import numpy as np
import onnx
import onnxruntime as ort
import pytest
import torch
from torch import nn

from builder.errors import ExportError
from builder.export import export, offline_parity, prove_batch, to_onnx
from builder.runtimes import open_onnx
from builder.spec.project import Axis, Backend, OnnxOptions
from builder.spec.releases import release
from builder.wrappers import BatchFirst
from tests.unit.export.zoo import (
    ROWS,
    STEPS,
    AllcloseBranch,
    AnyItemBranch,
    Branch,
    Eigenvalues,
    Embedded,
    EqualBranch,
    SizeLoop,
    Tagger,
    UnscriptableBranch,
    cnn,
    given,
    loaded,
)

ONNX = Backend.ONNX
LINE = {"x": given("fp32", "batch", "time")}
PAIRS = {"x": given("fp32", "batch", "time", within=(1, 5))}
TWO = {"batch": Axis(max=8), "time": Axis(min=2, max=12)}
WORDS = {
    "ids": given("int64", "batch", "time", within=(0, 19)),
    "mask": given("int64", "batch", "time", within=(0, 1)),
}


def shapes(path):
    session = ort.InferenceSession(path)
    return {node.name: node.shape for node in (*session.get_inputs(), *session.get_outputs())}


def test_a_plain_model_goes_through_torch_export(target, out) -> None:
    """A CNN is exported by torch.export, with the axis names of the spec, and agrees with eager PyTorch."""
    model = cnn()
    artifact = export(model, ONNX, into=out, release=target)

    assert artifact.exporter == "torch.export"
    assert shapes(artifact.path) == {"image": ["batch", 1, 4, 4], "output": ["batch", 5]}
    assert offline_parity(model, artifact, threads=1).passed
    assert [path.name for path in out.iterdir()] == ["model.onnx"]


def test_several_inputs_and_outputs_keep_their_names_and_axes(target, out) -> None:
    """Two integer inputs and two outputs, one of the batch alone, come out as the signature says."""
    model = loaded(Embedded(), WORDS, dims=STEPS)
    artifact = export(model, ONNX, into=out, release=target)

    assert artifact.signature == model.signature
    assert shapes(artifact.path)["output_0"] == ["batch", "time", 6]
    assert shapes(artifact.path)["output_1"] == ["batch"]
    assert offline_parity(model, artifact, threads=1).passed


@pytest.mark.parametrize("module", [SizeLoop, Branch])
def test_control_flow_goes_through_the_legacy_exporter_scripted(module, target, out) -> None:
    """What torch.export cannot free is scripted, exported by the legacy exporter, and said so."""
    model = loaded(module(), LINE, dims=STEPS)
    artifact = export(model, ONNX, into=out, release=target)

    assert artifact.exporter == "legacy"
    assert any(note.startswith("failed before: torch.export: ") for note in artifact.notes)
    assert offline_parity(model, artifact, threads=1).passed


def test_an_lstm_keeps_its_time_axis(target, out) -> None:
    """The time axis of an LSTM's output is dynamic in the file, and every length agrees."""
    model = loaded(
        BatchFirst(Tagger(), inputs={"h0": 1, "c0": 1}, outputs={1: 1, 2: 1}),
        {
            "x": given("fp32", "batch", "time", 3),
            "h0": given("fp32", "batch", 1, 4),
            "c0": given("fp32", "batch", 1, 4),
        },
        dims=STEPS,
    )
    artifact = export(model, ONNX, into=out, release=target)

    assert shapes(artifact.path)["output_0"] == ["batch", "time", 2]
    assert offline_parity(model, artifact, threads=1).passed
    assert prove_batch(model, artifact, threads=1).max_batch_size == 8


def test_no_translation_names_the_op_and_the_line(target, out) -> None:
    """The error names the operation that ONNX lacks and the user's line, and leaves no file."""
    model = loaded(Eigenvalues(), {"x": given("fp32", "batch", 3, 3)}, dims=ROWS)

    with pytest.raises(ExportError) as caught:
        export(model, ONNX, into=out, release=target)

    assert "ONNX has no translation for aten._linalg_eigh" in caught.value.what
    assert "zoo.py:" in caught.value.what
    assert "return torch.linalg.eigvalsh(y)" in caught.value.what
    assert "backend: torchscript" in caught.value.fix
    assert not list(out.iterdir())


def test_control_flow_is_never_traced_into_onnx(target, out) -> None:
    """A branch that no exporter can carry is an error with its line, not a file that lost it."""
    model = loaded(UnscriptableBranch(), LINE, dims=STEPS)

    with pytest.raises(ExportError, match=r"if x\.sum\(\) > 0:"):
        export(model, ONNX, into=out, release=target)


@pytest.mark.parametrize("mode", ["auto", "trace"])
@pytest.mark.parametrize("module", [EqualBranch, AllcloseBranch])
def test_the_legacy_exporter_gets_no_trace_that_lost_its_branch(module, mode, target, out) -> None:
    """What ONNX cannot decide is refused with its line, also where `torchscript: trace` is said."""
    model = loaded(module(), PAIRS, dims=TWO, torchscript=mode, onnx=OnnxOptions(exporter="legacy"))

    with pytest.raises(ExportError, match=r"a value decides what is computed at .*zoo\.py:\d+: if torch\."):
        export(model, ONNX, into=out, release=target)


@pytest.mark.parametrize("mode", ["auto", "trace"])
def test_a_branch_that_no_case_takes_reaches_onnx(mode, target, out) -> None:
    """The file takes the branch of `if (x > 1000).any().item()`, although random inputs never do."""
    model = loaded(AnyItemBranch(), PAIRS, dims=TWO, torchscript=mode)
    artifact = export(model, ONNX, into=out, release=target)
    run = open_onnx(artifact.path, threads=1)

    assert run({"x": np.array([[4000, 2000]], np.float32)})["output"].tolist() == [[8000.0, 4000.0]]


def test_an_axis_that_the_exporter_froze_is_named(target, out) -> None:
    """With the torch.export exporter alone, a loop over a size is an error that names the axis."""
    model = loaded(SizeLoop(), LINE, dims=STEPS, onnx=OnnxOptions(exporter="dynamo"))

    with pytest.raises(ExportError, match="axis time fixed at"):
        export(model, ONNX, into=out, release=target)


def test_a_size_that_is_frozen_in_a_file_is_seen(target, tmp_path) -> None:
    """A source whose output is fixed where the spec has an axis is refused, the axis named."""
    model = cnn()
    path = export(model, ONNX, into=tmp_path / "a", release=target).path
    proto = onnx.load(path)
    proto.graph.output[0].type.tensor_type.shape.dim[0].dim_value = 3
    proto.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 3
    onnx.save(proto, tmp_path / "source.onnx")
    source = replace(model, kind="onnx", path=tmp_path / "source.onnx")

    with pytest.raises(ExportError, match=r"axis 0 \(batch\) of input image is frozen at 3"):
        export(source, ONNX, into=tmp_path / "b", release=target)


@pytest.mark.parametrize("sampled", [False, True])
def test_the_range_of_an_axis_is_honoured(sampled, target, out) -> None:
    """A model that only takes lengths up to its table of positions exports when the spec says so.

    That only the samples' length is run changes nothing about what the file must take.
    """

    class Positions(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.table = nn.Parameter(torch.randn(12, 4))

        def forward(self, x):
            return x + self.table[: x.shape[1]]

    x = replace(given("fp32", "batch", "time", 4), values="samples" if sampled else "range")
    samples = {"x": torch.randn(5, 9, 4).numpy()} if sampled else None
    model = loaded(Positions(), {"x": x}, samples, dims=STEPS)
    artifact = export(model, ONNX, into=out, release=target)

    assert artifact.exporter == "torch.export"
    assert offline_parity(model, artifact, threads=1).passed


@pytest.mark.parametrize(("name", "opset", "ir"), [("24.10", 20, 10), ("24.02", 19, 9), ("23.02", 17, 8)])
def test_opset_and_ir_stay_below_the_release(name, opset, ir, out) -> None:
    """The file is at most at what the release's ONNX Runtime takes, and says so in the artifact."""
    artifact = export(cnn(), ONNX, into=out, release=release(name))
    proto = onnx.load(artifact.path)

    assert artifact.opset <= opset
    assert artifact.ir_version <= ir
    assert (proto.opset_import[0].version, proto.ir_version) == (artifact.opset, artifact.ir_version)


def test_an_opset_above_the_release_names_the_first_that_loads_it(target, out) -> None:
    """Asking for opset 23 on 24.10 is refused with the release to use."""
    with pytest.raises(ExportError, match="opset 23 is above 21") as caught:
        export(cnn(onnx=OnnxOptions(opset=23)), ONNX, into=out, release=target)

    assert "25.08" in caught.value.fix


def test_large_weights_go_beside_the_file(target, out) -> None:
    """Above the threshold the weights are in model.onnx.data, and the file still agrees."""
    model = loaded(nn.Linear(40, 40), {"input": given("fp32", "batch", 40)}, dims=ROWS)
    artifact = to_onnx.export(model, into=out, release=target, log=None, external_above_bytes=1000)

    assert sorted(path.name for path in out.iterdir()) == ["model.onnx", "model.onnx.data"]
    assert artifact.path.stat().st_size < 40 * 40 * 4
    assert offline_parity(model, artifact, threads=1).passed


def test_an_onnx_source_is_copied_byte_for_byte(target, tmp_path) -> None:
    """A file within the release's limits is not touched."""
    model = cnn()
    source = export(model, ONNX, into=tmp_path / "a", release=target).path
    artifact = export(replace(model, kind="onnx", path=source), ONNX, into=tmp_path / "b", release=target)

    assert artifact.exporter == "copied"
    assert artifact.path.read_bytes() == source.read_bytes()


def test_an_onnx_source_is_lowered_where_the_release_needs_it(target, tmp_path) -> None:
    """Opset 20 and IR 10 become what 24.02 takes, with a note and the same answers."""
    model = cnn()
    source = export(model, ONNX, into=tmp_path / "a", release=target).path
    artifact = export(
        replace(model, kind="onnx", path=source), ONNX, into=tmp_path / "b", release=release("24.02")
    )

    assert (artifact.opset, artifact.ir_version) == (19, 9)
    assert artifact.notes == ("lowered from opset 20, IR 10 for Triton 24.02",)
    assert offline_parity(model, artifact, threads=1).passed


def test_an_onnx_source_cannot_become_torchscript(target, tmp_path) -> None:
    """`backend: torchscript` with an .onnx source is refused with the way out."""
    source = replace(cnn(), kind="onnx", path=tmp_path / "x.onnx")

    with pytest.raises(ExportError, match=r"an \.onnx source cannot become TorchScript"):
        export(source, Backend.TORCHSCRIPT, into=tmp_path, release=target)


def test_other_element_types_pass(target, out) -> None:
    """What the onnxruntime backend carries is exported and agrees."""

    class Doubles(nn.Module):
        def forward(self, half, double, byte, word, flag):
            return half + half, double + double, byte + 1, word * 2, ~flag

    dtypes = {"half": "fp16", "double": "fp64", "byte": "int8", "word": "int32", "flag": "bool"}
    inputs = {name: given(dtype, "batch", 3, within=(0, 50)) for name, dtype in dtypes.items()}
    model = loaded(Doubles(), inputs, dims={"batch": Axis(max=4)})
    artifact = export(model, ONNX, into=out, release=target)

    assert [tensor.dtype.value for tensor in artifact.signature.outputs] == list(dtypes.values())
    assert offline_parity(model, artifact, threads=1).passed


def test_chatter_goes_into_the_log(target, out, tmp_path, capfd) -> None:
    """Nothing that the exporters, or the model itself, print reaches the terminal."""

    class Talks(nn.Module):
        def forward(self, x):
            print("hello from forward")  # noqa: T201
            return x * 2

    log = tmp_path / "log"
    model = loaded(Talks(), {"x": given("fp32", "batch", 3)}, dims=ROWS)
    capfd.readouterr()
    export(model, ONNX, into=out, release=target, log=log)

    assert capfd.readouterr() == ("", "")
    assert "hello from forward" in log.read_text()


def test_a_wrong_weight_is_found_by_the_offline_hop(target, out) -> None:
    """A file with one changed weight fails the hop, which names the output."""
    model = cnn()
    artifact = export(model, ONNX, into=out, release=target)
    proto = onnx.load(artifact.path)
    weight = max(proto.graph.initializer, key=lambda tensor: len(tensor.raw_data))
    values = np.frombuffer(weight.raw_data, np.float32).copy()
    values[7] += 0.5
    weight.raw_data = values.tobytes()
    onnx.save(proto, artifact.path)
    hop = offline_parity(model, artifact, threads=1)

    assert hop.name == "PyTorch -> model.onnx"
    assert not hop.passed
