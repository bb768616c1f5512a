import contextlib
import pickle

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper
from torch import nn

from builder.errors import SourceError
from builder.spec.dtypes import DType
from builder.spec.project import Axis, Input

X = {"x": Input(dtype=DType.FP32, shape=("batch", 3))}
BATCH = torch.export.Dim("batch", min=1, max=8)


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(3, 2)

    def forward(self, x):
        return {"y": self.layer(x), "pair": (x + 1, x * 2)}


class Plain(Net):
    def forward(self, x):
        return self.layer(x)


class Nested(Net):
    def forward(self, x):
        return self.layer(x), (x + 1, x * 2)


class Harmful:
    def __reduce__(self):
        return (print, ("unpickled",))


def program(path, *, dynamic: bool = True, dtype: torch.dtype = torch.float32, dim=BATCH) -> Net:
    net = Net().to(dtype).eval()
    shapes = ({0: dim},) if dynamic else None
    torch.export.save(
        torch.export.export(net, (torch.randn(3, 3, dtype=dtype),), dynamic_shapes=shapes), path
    )
    return net


def refused(project, **spec) -> SourceError:
    with pytest.raises(SourceError) as caught:
        project(**spec)
    return caught.value


def feed(batch: int = 2) -> dict[str, np.ndarray]:
    return {"x": np.arange(batch * 3, dtype=np.float32).reshape(batch, 3)}


def test_an_exported_program_answers_like_its_module(project, tmp_path) -> None:
    """A .pt2 loads without opting in to pickles, and its outputs have the names of the module's."""
    net = program(tmp_path / "m.pt2")
    loaded = project(source="m.pt2")

    assert (loaded.kind, loaded.bind) == ("program", "name")
    assert [str(t) for t in loaded.signature.outputs] == [
        "y fp32[batch, 2]", "pair_0 fp32[batch, 3]", "pair_1 fp32[batch, 3]",
    ]  # fmt: skip
    assert np.allclose(
        loaded.reference(feed())["y"], net(torch.from_numpy(feed()["x"]))["y"].detach().numpy()
    )
    assert "m.pt2" in loaded.fingerprint.files


def test_a_frozen_axis_of_a_program_is_named(project, tmp_path) -> None:
    """An axis that was exported at one size is refused with that size."""
    program(tmp_path / "m.pt2", dynamic=False)

    assert "axis 0 of `x` is fixed at 3" in refused(project, source="m.pt2").what


@pytest.mark.parametrize(
    ("dim", "asked", "said", "fix"),
    [
        (torch.export.Dim("rows", max=8), Axis(max=64), "takes 1 to 8", "`dims: {batch: {max: 8}}`"),
        (torch.export.Dim("rows", min=3, max=64), Axis(max=64), "takes 3 to 64", "min=1, max=64"),
        (torch.export.Dim("rows", min=3), Axis(max=64), "takes 3 or more", "min=1, max=64"),
    ],
)
def test_a_program_of_another_range_than_the_specs_is_named(project, tmp_path, dim, asked, said, fix) -> None:
    """The axis, the sizes that the program takes, those of trb.yaml and the way on stand in the error."""
    program(tmp_path / "m.pt2", dim=dim)
    error = refused(project, source="m.pt2", dims={"batch": asked})

    assert error.what == f"dims: axis 0 (`batch`) of `x` {said} in m.pt2; trb.yaml says 1 to 64"
    assert fix in error.fix


@pytest.mark.parametrize("dim", [torch.export.Dim("rows", max=4), torch.export.Dim.AUTO])
def test_a_program_that_takes_the_sizes_of_the_spec_is_loaded(project, tmp_path, dim) -> None:
    """A range that ends where the spec's does is wide enough; so is one from 2, which torch runs at 1 too."""
    program(tmp_path / "m.pt2", dim=dim)

    assert project(source="m.pt2").kind == "program"


def test_another_dtype_than_the_programs_is_named(project, tmp_path) -> None:
    """The file's dtype stands beside trb.yaml's."""
    program(tmp_path / "m.pt2", dtype=torch.float64)

    assert "as fp64, trb.yaml as fp32" in refused(project, source="m.pt2").what


def test_a_pickle_in_a_program_is_not_run(project, tmp_path, capsys) -> None:
    """A .pt2 whose tensors were swapped for a pickle is refused by the key that would allow it, and nothing runs."""
    import zipfile

    program(tmp_path / "good.pt2")
    swapped = 0
    with zipfile.ZipFile(tmp_path / "good.pt2") as good, zipfile.ZipFile(tmp_path / "m.pt2", "w") as bad:
        for entry in good.infolist():
            data = good.read(entry)
            if "sample_inputs" in entry.filename and entry.filename.endswith(".pt"):
                torch.save(Harmful(), tmp_path / "harm.pt")
                data, swapped = (tmp_path / "harm.pt").read_bytes(), swapped + 1
            bad.writestr(entry.filename, data)
    error = refused(project, source="m.pt2")

    assert swapped == 1
    assert "unpickled" not in capsys.readouterr().out
    assert "allow_pickle: true" in error.fix


def test_a_constant_that_is_a_pickle_is_not_run(project, tmp_path, capsys) -> None:
    """A custom object among the constants, which torch unpickles without asking, is refused before it runs."""
    import json
    import zipfile

    program(tmp_path / "good.pt2")
    with zipfile.ZipFile(tmp_path / "good.pt2") as good, zipfile.ZipFile(tmp_path / "m.pt2", "w") as bad:
        for entry in good.infolist():
            data, root = good.read(entry), entry.filename.split("/")[0]
            if entry.filename.endswith("constants_config.json"):
                config = json.loads(data)
                config["config"]["harm"] = {
                    "path_name": "opaque_obj_0",
                    "is_param": False,
                    "use_pickle": True,
                }
                config["config"]["harm"]["tensor_meta"] = None
                data = json.dumps(config).encode()
            bad.writestr(entry.filename, data)
        bad.writestr(f"{root}/data/constants/opaque_obj_0", pickle.dumps(Harmful()))
    error = refused(project, source="m.pt2")

    assert "unpickled" not in capsys.readouterr().out
    assert "allow_pickle: true" in error.fix

    with contextlib.suppress(SourceError, AssertionError):  # torch stumbles over what it unpickled
        project(source="m.pt2", allow_pickle=True)
    assert "unpickled" in capsys.readouterr().out  # the file was harmful indeed


def test_the_guard_against_pickles_ends_with_the_load(project, tmp_path) -> None:
    """After a .pt2 was read, the process may unpickle again."""
    program(tmp_path / "m.pt2")
    project(source="m.pt2")

    assert pickle.loads(pickle.dumps(Net)) is Net


def test_a_torchscript_file_answers_like_its_module(project, tmp_path) -> None:
    """A .pt is its own reference, dict and tuple outputs flattened."""
    net = Nested().eval()
    torch.jit.script(net).save(str(tmp_path / "m.pt"))
    loaded = project(source="m.pt")

    assert loaded.kind == "torchscript"
    assert [t.name for t in loaded.signature.outputs] == ["output_0", "output_1_0", "output_1_1"]
    assert np.allclose(
        loaded.reference(feed())["output_0"], net(torch.from_numpy(feed()["x"]))[0].detach().numpy()
    )


def a_state_dict(path) -> None:
    torch.save(Plain().state_dict(), path)


def a_pickled_module(path) -> None:
    torch.save(nn.Linear(3, 2), path)


def a_legacy_pickle(path) -> None:
    torch.save(Plain().state_dict(), path, _use_new_zipfile_serialization=False)


def text(path) -> None:
    path.write_text("no model")


@pytest.mark.parametrize(
    ("write", "what", "fix"),
    [
        (a_state_dict, "pickle of weights", "`weights`"),
        (a_pickled_module, "pickle of weights or of a module", "`weights`"),
        (a_legacy_pickle, "old pickle", "`weights`"),
        (text, "no TorchScript", "`source`"),
        (program, "exported program", ".pt2"),
    ],
)
def test_a_pt_that_is_no_torchscript_is_told_what_it_is(project, tmp_path, write, what, fix) -> None:
    """What the file is and what to do with it stands in the error."""
    write(tmp_path / "m.pt2")
    (tmp_path / "m.pt2").rename(tmp_path / "m.pt")
    error = refused(project, source="m.pt")

    assert what in error.what
    assert fix in error.fix


def onnx_file(path, *, kind: int = TensorProto.FLOAT, batch: int | str = "n") -> None:
    graph = helper.make_graph(
        [helper.make_node("Identity", ["x"], ["y"])],
        "graph",
        [helper.make_tensor_value_info("x", kind, [batch, 3])],
        [helper.make_tensor_value_info("y", kind, [batch, 3])],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9), path)


def test_an_onnx_file_is_its_own_reference(project, tmp_path) -> None:
    """Names and axes come from the file, the axis names from trb.yaml."""
    onnx_file(tmp_path / "m.onnx")
    loaded = project(source="m.onnx")

    assert loaded.reference_name == "ONNX Runtime, optimisation off"
    assert [str(t) for t in loaded.signature.outputs] == ["y fp32[batch, 3]"]
    assert np.array_equal(loaded.reference(feed())["y"], feed()["x"])


@pytest.mark.parametrize(
    ("file", "spec", "said"),
    [
        ({}, {"inputs": {"xx": X["x"]}}, "`x`, which trb.yaml does not name"),
        ({"kind": TensorProto.DOUBLE}, {}, "as fp64, trb.yaml as fp32"),
        ({"batch": 1}, {}, "axis 0 of `x` is fixed at 1"),
        ({}, {"inputs": {"x": Input(dtype=DType.FP32, shape=("batch", 4))}}, "axis 1 of `x` is fixed at 3"),
        ({}, {"inputs": {"x": Input(dtype=DType.FP32, shape=("batch",))}}, "with 2 axes, trb.yaml with 1"),
        ({}, {"output_names": ("z",)}, "keep their names: y"),
    ],
)
def test_an_onnx_file_that_declares_something_else_is_refused(project, tmp_path, file, spec, said) -> None:
    """Names, dtypes, ranks and fixed sizes are compared before anything runs."""
    onnx_file(tmp_path / "m.onnx", **file)

    assert said in refused(project, source="m.onnx", **spec).what


@pytest.mark.parametrize("name", ["m.onnx", "m.pt", "m.pt2"])
def test_a_file_that_is_missing_or_broken_is_named(project, tmp_path, name) -> None:
    """No file, an empty one and a wrong one each end in an error with the file's name."""
    assert name in refused(project, source=name).what
    for content in (b"", b"nothing like a model"):
        (tmp_path / name).write_bytes(content)
        assert name in refused(project, source=name).what


def test_external_data_is_part_of_the_fingerprint(project, tmp_path) -> None:
    """The file beside an .onnx that holds its weights is watched too."""
    weight = onnx.numpy_helper.from_array(np.ones((64, 64), np.float32), "w")
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["y"])],
        "graph",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 64])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 64])],
        [weight],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.save(model, tmp_path / "m.onnx", save_as_external_data=True, location="w.bin", size_threshold=0)
    inputs = {"x": Input(dtype=DType.FP32, shape=("batch", 64))}

    assert {"m.onnx", "w.bin"} <= set(
        project(source="m.onnx", inputs=inputs, dims={"batch": Axis(max=3)}).fingerprint.files
    )


def test_external_data_of_a_branch_counts_as_weights(project, tmp_path) -> None:
    """Another value in the data beside an .onnx is another model, also where only a branch reads it."""

    def saved(value: float) -> str:
        weight = onnx.numpy_helper.from_array(np.full((1, 3), value, np.float32), "w")
        then = helper.make_graph(
            [helper.make_node("Add", ["x", "w"], ["t"])],
            "then",
            [],
            [helper.make_tensor_value_info("t", TensorProto.FLOAT, None)],
            [weight],
        )
        other = helper.make_graph(
            [helper.make_node("Identity", ["x"], ["e"])],
            "else",
            [],
            [helper.make_tensor_value_info("e", TensorProto.FLOAT, None)],
        )
        nodes = [
            helper.make_node("Constant", [], ["c"], value=onnx.numpy_helper.from_array(np.array(True))),
            helper.make_node("If", ["c"], ["y"], then_branch=then, else_branch=other),
        ]
        ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", 3]) for name in ("x", "y")]
        model = helper.make_model(
            helper.make_graph(nodes, "g", ends[:1], ends[1:]), opset_imports=[helper.make_opsetid("", 17)]
        )
        model.ir_version = 8
        (tmp_path / "branch.bin").unlink(missing_ok=True)
        onnx.save(
            model,
            tmp_path / "branch.onnx",
            save_as_external_data=True,
            location="branch.bin",
            size_threshold=0,
        )
        loaded = project(source="branch.onnx")
        assert "branch.bin" in loaded.fingerprint.files
        return loaded.provenance.weights_sha256

    first = saved(1.0)

    assert saved(1.0) == first
    assert saved(2.0) != first
