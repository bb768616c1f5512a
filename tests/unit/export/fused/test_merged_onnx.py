"""Merged ONNX files."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import onnx
import pytest

from builder.errors import ExportError
from builder.export.fused import groups, merge, merged_onnx
from builder.runtimes import open_onnx
from builder.spec.artifact import Artifact
from builder.spec.pipeline import Wired
from builder.spec.releases import release
from tests.unit.export.fused.zoo import assert_same, composed, onnx_file, pipeline, row, rows, step, tensor

LINEAR = "g (float[batch,4] x) => (float[batch,4] y) { z = MatMul (x, w) y = Relu (z) }"


def linear(folder: Path, seed: int = 0) -> Path:
    return onnx_file(folder, LINEAR, {"w": rows(4, 4, seed=seed)})


def merged(wired: Wired, files: Mapping[str, Path], out: Path, target) -> Artifact:
    (group,) = groups(wired)
    return merge(group, wired, files, out, target)


def check(wired: Wired, files: Mapping[str, Path], out: Path, target, **feed: Any) -> Artifact:
    """Merge, and compare with the steps one after another."""
    artifact = merged(wired, files, out, target)
    assert_same(open_onnx(artifact.path, threads=1)(feed), composed(wired, files, feed))
    return artifact


def chain(first: str = "first", second: str = "second", **second_options: Any) -> Wired:
    """x -> first -> t -> second -> y."""
    names = {"name": f"{second}#2"} if first == second else {}
    return pipeline(
        "x",
        [
            row(first, "x", "y", gives={"y": "t"}),
            row(second, "x", "y", reads={"x": "t"}, **names, **second_options),
        ],
        "y",
    )


def test_a_chain_answers_as_its_steps(tmp_path, out, target) -> None:
    """Two models with weights of one name, one after the other; the file has the pipeline's tensors."""
    files = {"first": linear(tmp_path / "a"), "second": linear(tmp_path / "b", seed=1)}

    artifact = check(chain(), files, out, target, x=rows(3, 4))

    assert artifact.exporter == "merged"
    assert artifact.notes == ()
    assert [str(one) for one in artifact.signature.inputs] == ["x fp32[batch, 4]"]
    assert [str(one) for one in artifact.signature.outputs] == ["y fp32[batch, 4]"]


def test_a_model_that_stands_twice_is_in_the_file_once(tmp_path, out, target) -> None:
    """Both steps of one model use the same weights."""
    files = {"first": linear(tmp_path / "a")}

    artifact = check(chain("first", "first"), files, out, target, x=rows(3, 4))

    assert [one.name for one in onnx.load(artifact.path).graph.initializer] == ["first/w"]


def test_a_tensor_read_by_two_steps_and_given_to_clients(tmp_path, out, target) -> None:
    """What one step gives goes to two others and out; one of them reads a client's tensor too, as the first does."""
    files = {
        "first": linear(tmp_path / "a"),
        "left": linear(tmp_path / "b", seed=1),
        "both": onnx_file(
            tmp_path / "c",
            "g (float[b,4] p, float[b,4] q, float[b,4] r) => (float[b,4] s) { u = Sub (p, q) s = Mul (u, r) }",
        ),
    }
    steps = [
        row("first", "x", "y", gives={"y": "t"}),
        row("left", "x", "y", reads={"x": "t"}, gives={"y": "u"}),
        row("both", "p q r", "s", reads={"p": "x", "q": "u", "r": "t"}),
    ]

    artifact = check(pipeline("x", steps, "s t"), files, out, target, x=rows(3, 4))

    assert [one.name for one in artifact.signature.inputs] == ["x"]
    assert [one.name for one in artifact.signature.outputs] == ["t", "s"]


def test_one_tensor_may_be_both_inputs_of_a_step(tmp_path, out, target) -> None:
    """Two inputs of a model that the pipeline calls the same are fed the same."""
    files = {
        "first": linear(tmp_path / "a"),
        "twice": onnx_file(
            tmp_path / "b", "g (float[b,4] p, float[b,4] q) => (float[b,4] s) { s = Mul (p, q) }"
        ),
    }
    steps = [row("first", "x", "y"), row("twice", "p q", "s", reads={"p": "y", "q": "y"})]

    check(pipeline("x", steps, "s"), files, out, target, x=rows(3, 4))


def test_an_input_handed_through_and_a_weight_given_as_output(tmp_path, out, target) -> None:
    """What no operator makes comes out under the pipeline's name all the same."""
    through = "g (float[b,4] x) => (float[b,4] x, float[1,4] w, float[b,4] y) { y = Add (x, w) }"
    files = {"first": onnx_file(tmp_path / "a", through, {"w": rows(1, 4)}), "second": linear(tmp_path / "b")}
    first = step(
        "first",
        [tensor("x", "batch", 4)],
        [tensor("x", "batch", 4), tensor("w", 1, 4), tensor("y", "batch", 4)],
        gives={"x": "same", "w": "bias", "y": "t"},
        batch=0,
    )
    # An input and an output of one name: the pipeline calls the input `in`.
    first = replace(first, inputs={"x": "in"})
    second = row("second", "x", "y", reads={"x": "t"}, batch=0)

    check(pipeline("in", [first, second], "same bias y"), files, out, target, **{"in": rows(3, 4)})


def test_what_nothing_reads_is_not_in_the_file(tmp_path, out, target) -> None:
    """An output that no step and no client reads goes, and the weights that only it needed; a branch keeps its own."""
    two = """g (float[b,4] x) => (float[b,4] y, float[b,4] z) {
        h = Relu (x)
        c = Constant <value = bool {1}> ()
        y = If (c) <then_branch = t () => (float[b,4] o) { o = MatMul (h, w) },
                    else_branch = e () => (float[b,4] o) { o = Sub (x, h) }>
        z = MatMul (x, v)
    }"""
    files = {
        "first": onnx_file(tmp_path / "a", two, {"w": rows(4, 4), "v": rows(4, 4, seed=1)}),
        "second": linear(tmp_path / "b"),
    }
    first = row("first", "x", "y z", gives={"y": "t", "z": ""})
    second = row("second", "x", "y", reads={"x": "t"})
    graph = onnx.load(check(pipeline("x", [first, second], "y"), files, out, target, x=rows(3, 4)).path).graph

    assert [one.name for one in graph.output] == ["y"]
    assert [one.name for one in graph.initializer] == ["first/w", "second/w"]
    assert [one.op_type for one in graph.node] == ["Relu", "Constant", "If", "MatMul", "Relu"]


def test_a_lower_opset_whose_operators_did_not_change_is_read_as_the_higher(tmp_path, out, target) -> None:
    """MatMul and Relu are the same in opset 18 and 19: nothing is converted, and the note says so."""
    files = {
        "first": linear(tmp_path / "a"),
        "second": onnx_file(tmp_path / "b", LINEAR, {"w": rows(4, 4)}, opset=19, ir=9),
    }

    artifact = check(chain(), files, out, target, x=rows(3, 4))

    assert (artifact.opset, artifact.ir_version) == (19, 9)
    assert artifact.notes == ("first: opset 18 read as 19: its operators are the same in both",)


def test_the_default_operators_have_one_name(tmp_path, out, target) -> None:
    """A file may call them `ai.onnx`, another leaves the name out."""
    spelt = "g (float[b,4] x) => (float[b,4] y) { y = ai.onnx.Relu (x) }"
    files = {"first": onnx_file(tmp_path / "a", spelt), "second": linear(tmp_path / "b")}
    proto = onnx.load(files["first"])
    proto.opset_import[0].domain = "ai.onnx"
    onnx.save(proto, files["first"])

    check(chain(), files, out, target, x=rows(3, 4))


@pytest.mark.parametrize(
    "text",
    [
        "m = ReduceMean <axes = [1]> (x) y = Sub (x, m)",
        """c = Constant <value = bool {1}> ()
        d = If (c) <then_branch = t () => (float[b,1] o) { o = ReduceMax <axes = [1]> (x) },
                    else_branch = e () => (float[b,1] o) { o = ReduceMin <axes = [1]> (x) }>
        y = Mul (x, d)""",
    ],
)
def test_a_lower_opset_whose_operators_changed_is_converted(text, tmp_path, out, target) -> None:
    """ReduceMean and its like got their axes as an input in opset 18, also in the branches of an If."""
    text = f"g (float[b,4] x) => (float[b,4] y) {{ {text} }}"
    files = {"first": onnx_file(tmp_path / "a", text, opset=17), "second": linear(tmp_path / "b")}

    artifact = check(chain(), files, out, target, x=rows(3, 4))

    assert artifact.opset == 18
    assert artifact.notes == ("first: opset 17 converted to 18",)


@pytest.mark.parametrize(
    ("opset", "operator", "text"),
    [
        (10, "Resize", "y = Resize (x, s)"),  # the converter takes it, and the graph answers otherwise
        (8, "BatchNormalization", "y = BatchNormalization <spatial = 0> (x, s, s, s, s)"),
    ],
)
def test_a_lower_opset_that_cannot_be_converted_names_both_steps(
    opset, operator, text, tmp_path, out, target
) -> None:
    """Both steps, both opsets, the operator and the line for trb.yaml are told."""
    graph = f"g (float[b,4] x) => (float[b,4] y) {{ {text} }}"
    files = {
        "first": onnx_file(tmp_path / "a", graph, {"s": rows(2)}, opset=opset),
        "second": linear(tmp_path / "b"),
    }

    with pytest.raises(ExportError) as caught:
        merged(chain(), files, out, target)

    assert caught.value.what == (
        f"whole: steps first and second cannot be merged: first is written in opset {opset}, second in 18, and onnx "
        f"cannot convert {operator} of first"
    )
    assert "`onnx: {opset: 18}` at first in trb.yaml" in caught.value.fix
    assert list(out.iterdir()) == []


def test_other_operator_sets_are_not_converted(tmp_path, out, target) -> None:
    """A set of operators that onnx does not know may have changed from version to version."""
    text = "g (float[b,4] x) => (float[b,4] y) { y = own.domain.Mystery (x) }"
    files = {
        "first": onnx_file(tmp_path / "a", text, domains=', "own.domain" : 1'),
        "second": onnx_file(tmp_path / "b", text, domains=', "own.domain" : 2'),
    }

    with pytest.raises(
        ExportError, match=r"version 1 of own.domain, second in 2, and onnx cannot convert Mystery"
    ):
        merged(chain(), files, out, target)


def test_the_target_release_bounds_opset_and_ir(tmp_path, out) -> None:
    """An opset above the release's is refused; an IR version above is lowered, as the exporter does."""
    high = {"opset": 21, "ir": 10}
    files = {
        name: onnx_file(tmp_path / name, LINEAR, {"w": rows(4, 4)}, **high) for name in ("first", "second")
    }

    with pytest.raises(ExportError, match="opset 21 is above 20"):
        merged(chain(), files, out, release("24.04"))
    files = {name: onnx_file(tmp_path / name, LINEAR, {"w": rows(4, 4)}, opset=18, ir=10) for name in files}
    assert check(chain(), files, out, release("24.04"), x=rows(2, 4)).ir_version == 9


def test_large_weights_go_beside_the_file(tmp_path, out, target) -> None:
    """Weights that lie beside the steps' files are read, and written beside the merged one; an opset is converted."""
    ports = "g (float[batch,40] x) => (float[batch,40] y)"
    centred = f"{ports} {{ z = MatMul (x, w) m = ReduceMean <axes = [1]> (z) y = Sub (z, m) }}"
    files = {
        "first": onnx_file(tmp_path / "a", centred, {"w": rows(40, 40)}, opset=17),
        "second": onnx_file(tmp_path / "b", f"{ports} {{ y = MatMul (x, w) }}", {"w": rows(40, 40, seed=1)}),
    }
    for path in files.values():
        onnx.save_model(onnx.load(path), path, save_as_external_data=True, location="model.onnx.data")
    ends = [tensor("x", "batch", 40)], [tensor("y", "batch", 40)]
    steps = [step("first", *ends, gives={"y": "t"}), step("second", *ends, reads={"x": "t"})]
    wired, feed = pipeline("x", steps, "y"), {"x": rows(3, 40)}

    artifact = merged_onnx.merge(groups(wired)[0], wired, files, out, target, external_above_bytes=1000)

    assert_same(open_onnx(artifact.path, threads=1)(feed), composed(wired, files, feed))
    assert artifact.path.stat().st_size < 2000
    assert (out / "model.onnx.data").stat().st_size == 2 * 40 * 40 * 4


def test_axes_that_are_one_have_one_name(tmp_path, out, target) -> None:
    """The batch is called `n` in the second model, which a client's tensor reaches directly."""
    files = {
        "first": linear(tmp_path / "a"),
        "second": onnx_file(
            tmp_path / "b", "g (float[n,4] p, float[n,4] q) => (float[n,4] s) { s = Sub (p, q) }"
        ),
    }
    second = step(
        "second",
        [tensor("p", "n", 4), tensor("q", "n", 4)],
        [tensor("s", "n", 4)],
        reads={"p": "t", "q": "z"},
    )
    wired = pipeline("x z", [row("first", "x", "y", gives={"y": "t"}), second], "s")

    artifact = check(wired, files, out, target, x=rows(3, 4), z=rows(3, 4, seed=1))

    shapes = [one.shape for one in (*artifact.signature.inputs, *artifact.signature.outputs)]
    assert shapes == [("batch", 4)] * 3


def test_the_batch_is_one_axis_of_all_that_batch(tmp_path, out, target) -> None:
    """Steps that share no tensor are batched together: Triton sends both as many rows."""
    files = {name: linear(tmp_path / name) for name in ("first", "second")}
    second = step("second", [tensor("x", "n", 4)], [tensor("y", "n", 4)], reads={"x": "z"}, gives={"y": "u"})
    wired = pipeline("x z", [row("first", "x", "y"), second], "y u")

    artifact = check(wired, files, out, target, x=rows(3, 4), z=rows(3, 4, seed=1))

    assert {one.shape for one in artifact.signature.inputs} == {("batch", 4)}


def test_axes_that_are_two_have_two_names(tmp_path, out, target) -> None:
    """Both models call an axis `n`, of different tensors: the file does not say that they are as long."""
    text = "g (float[n] x) => (float[n] y) { y = Relu (x) }"
    files = {name: onnx_file(tmp_path / name, text) for name in ("first", "second")}
    steps = [
        step(
            name,
            [tensor("x", "n")],
            [tensor("y", "n")],
            reads={"x": f"x_{name}"},
            gives={"y": f"y_{name}"},
            batch=0,
        )
        for name in files
    ]
    wired = pipeline("x_first x_second", steps, "y_first y_second")

    artifact = check(wired, files, out, target, x_first=rows(3), x_second=rows(5))

    assert [one.shape for one in artifact.signature.inputs] == [("n",), ("n_2",)]
    assert [one.shape for one in artifact.signature.outputs] == [("n",), ("n_2",)]


def test_a_size_that_one_step_fixes_is_fixed(tmp_path, out, target) -> None:
    """The first model takes any width, the second only 4: the merged one says 4 at its door."""
    files = {
        "first": onnx_file(tmp_path / "a", "g (float[b,n] x) => (float[b,n] y) { y = Relu (x) }"),
        "second": linear(tmp_path / "b"),
    }
    first = step("first", [tensor("x", "batch", "n")], [tensor("y", "batch", "n")], gives={"y": "t"})
    wired = pipeline("x", [first, row("second", "x", "y", reads={"x": "t"})], "y t")

    artifact = check(wired, files, out, target, x=rows(3, 4))

    shapes = [one.shape for one in (*artifact.signature.inputs, *artifact.signature.outputs)]
    assert shapes == [("batch", 4)] * 3


def test_names_inside_branches_and_loops_do_not_clash(tmp_path, out, target) -> None:
    """The same model twice, whose loop names an axis, and reads a value and a weight from outside."""
    text = """g (float[b,4] x) => (float[b,4] y) {
        h = Relu (x)
        n = Constant <value = int64 {3}> ()
        c = Constant <value = bool {1}> ()
        f = Constant <value = float {0.5}> ()
        y = Loop (n, c, h) <body = l (int64 i, bool a, float[b,4] v) => (bool a2, float[b,4] v2) {
            a2 = Identity (a)
            z = MatMul (v, w)
            g1 = Less (i, n)
            v2 = If (g1) <then_branch = p () => (float[b,4] o) { o = Add (z, h) },
                          else_branch = q () => (float[b,4] o) { o = Mul (z, f) }>
        }>
    }"""
    files = {"first": onnx_file(tmp_path / "a", text, {"w": rows(4, 4)})}

    artifact = check(chain("first", "first"), files, out, target, x=rows(3, 4))

    loops = [node for node in onnx.load(artifact.path).graph.node if node.op_type == "Loop"]
    bodies = [node.attribute[0].g for node in loops]
    kept = [dim for body in bodies for one in body.input for dim in one.type.tensor_type.shape.dim]
    assert [dim.dim_param for dim in kept] == ["", ""] * 2


def test_a_value_inside_a_branch_may_be_called_as_one_outside(tmp_path, out, target) -> None:
    """The branch means its own `y`, the graph around it the tensor that the pipeline calls `t`."""
    text = """g (float[b,4] x) => (float[b,4] y) {
        c = Constant <value = bool {1}> ()
        d = If (c) <then_branch = p () => (float[b,4] o) { y = Relu (x) o = Add (y, x) },
                    else_branch = q () => (float[b,4] o) { y = Tanh (x) o = Mul (y, x) }>
        y = Sub (x, d)
    }"""
    files = {"first": onnx_file(tmp_path / "a", text), "second": linear(tmp_path / "b")}

    check(chain(), files, out, target, x=rows(3, 4))


def test_functions_of_one_name_stay_apart(tmp_path, out, target) -> None:
    """Two files bring different functions under one name, one of them for another opset."""
    text = """g (float[b,4] x) => (float[b,4] y) {{ y = own.F (x) }}
        <domain: "own", opset_import: ["" : {opset}]> F (a) => (b) {{ b = {what} }}"""
    files = {
        "first": onnx_file(tmp_path / "a", text.format(opset=18, what="Relu (a)"), domains=', "own" : 1'),
        "second": onnx_file(
            tmp_path / "b",
            text.format(opset=17, what="ReduceMean <axes = [1]> (a)"),
            domains=', "own" : 1',
            opset=17,
        ),
    }
    second = step("second", [tensor("x", "batch", 4)], [tensor("y", "batch", 1)], reads={"x": "t"})
    wired = pipeline("x", [row("first", "x", "y", gives={"y": "t"}), second], "y")
    onnx_text = onnx.load(files["second"])
    onnx_text.graph.output[0].type.tensor_type.shape.dim[1].dim_value = 1
    onnx.save(onnx_text, files["second"])

    check(wired, files, out, target, x=rows(3, 4))


def test_an_input_with_a_default_may_be_left_out(tmp_path, out, target) -> None:
    """The first step keeps the default, the second is given the tensor of the pipeline."""
    text = "g (float[b,4] x, float[1,4] k) => (float[b,4] y) { y = Add (x, k) }"
    files = {"shift": onnx_file(tmp_path / "a", text, {"k": rows(1, 4)})}
    given = [tensor("x", "batch", 4), tensor("k", 1, 4)]
    steps = [
        step("shift", given[:1], [tensor("y", "batch", 4)], gives={"y": "t"}, batch=0),
        step("shift", given, [tensor("y", "batch", 4)], name="shift#2", reads={"x": "t"}, batch=0),
    ]
    artifact = merged(pipeline("x k", steps, "y"), files, out, target)
    x, k = rows(3, 4), rows(1, 4, seed=1)

    got = open_onnx(artifact.path, threads=1)({"x": x, "k": k})

    assert_same(got, {"y": x + rows(1, 4) + k})


def test_a_tensor_that_is_called_like_something_inside(tmp_path, out, target) -> None:
    """A pipeline's tensor may have the very name that a value of a step would get."""
    files = {"first": linear(tmp_path / "a"), "second": linear(tmp_path / "b", seed=1)}
    first = row("first", "x", "y", gives={"y": "first/z"})
    second = row("second", "x", "y", reads={"x": "first/z"}, gives={"y": "second/w"})

    check(pipeline("x", [first, second], "first/z second/w"), files, out, target, x=rows(3, 4))


def test_nothing_tells_where_the_parts_were_made(tmp_path, out, target) -> None:
    """Documentation and metadata of the steps' files are not in the merged one, nor a step's axis names."""
    path = linear(tmp_path / "a")
    proto = onnx.load(path)
    proto.doc_string = proto.graph.node[0].doc_string = "/home/user/secret.py"
    onnx.helper.set_model_props(proto, {"made in": "/home/user"})
    onnx.save(proto, path)

    artifact = merged(chain("first", "first"), {"first": path}, out, target)

    for word in (b"secret", b"/home", b"made in"):
        assert word not in artifact.path.read_bytes()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("g (float[b,4] x) => (float[b,4] z) { z = Relu (x) }", "no output y"),
        ("g (float[b,4] z) => (float[b,4] y) { y = Relu (z) }", "no input x"),
        (
            "g (float[b,4] x, float[b,4] z) => (float[b,4] y) { y = Add (x, z) }",
            "an input z that nothing is given to",
        ),
        (
            "g (float[4] x) => (float[4] y) { y = Relu (x) }",
            r"input x with 1 axes, not as x fp32\[batch, 4\]",
        ),
    ],
)
def test_a_file_that_is_not_the_steps_is_refused(text, told, tmp_path, out, target) -> None:
    """A model file whose tensors are not those that the pipeline was wired with is named, with the step."""
    files = {"first": linear(tmp_path / "a"), "second": onnx_file(tmp_path / "b", text)}

    with pytest.raises(ExportError, match=f"the file of second has {told}") as caught:
        merged(chain(), files, out, target)
    assert "build second anew" in caught.value.fix


def test_what_onnxruntime_refuses_names_the_steps(tmp_path, out, target) -> None:
    """A merged graph that does not load leaves no file behind."""
    wrong = onnx_file(tmp_path / "b", LINEAR, {"w": rows(5, 4)})

    with pytest.raises(
        ExportError, match=r"whole: steps first and second cannot be merged: the merged file is refused"
    ):
        merged(chain(), {"first": linear(tmp_path / "a"), "second": wrong}, out, target)
    assert list(out.iterdir()) == []
