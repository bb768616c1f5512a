"""Small ONNX models and what the genuine onnxruntime backend was seen to do with them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from tests.live.standin_case import Ask, Case, f32, io

BATCHED = 'backend: "onnxruntime"\nmax_batch_size: 8\n'
WHOLE = 'backend: "onnxruntime"\nmax_batch_size: 0\n'
FITS = BATCHED + io("input", "x", [4]) + io("output", "y", [4])
FLOAT = TensorProto.FLOAT
TYPES = {
    "BOOL": "bool", "UINT8": "uint8", "UINT16": "uint16", "UINT32": "uint32", "UINT64": "uint64",
    "INT8": "int8", "INT16": "int16", "INT32": "int32", "INT64": "int64",
    "FP16": "float16", "FP32": "float32", "FP64": "float64", "STRING": "object",
}  # fmt: skip
ONNX_NAMES = {"FP16": "FLOAT16", "FP32": "FLOAT", "FP64": "DOUBLE"}


def value(name: str, shape: Sequence[Any], kind: int = FLOAT) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, kind, shape)


def model(nodes: Any, inputs: Any, outputs: Any, *, weights: Any = (), opset: int = 17, ir: int = 8) -> Any:
    graph = helper.make_graph(nodes, "g", inputs, outputs, list(weights))
    domains = {node.domain for node in nodes if node.domain}
    opsets = [helper.make_opsetid("", opset), *(helper.make_opsetid(domain, 1) for domain in domains)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=ir)


def doubled(batch: Any = "batch", **more: Any) -> Any:
    """y = x + x, [batch, 4]."""
    return model(
        [helper.make_node("Add", ["x", "x"], ["y"])],
        [value("x", [batch, 4])],
        [value("y", [batch, 4])],
        **more,
    )


def weighted(*, listed: bool) -> Any:
    """y = x + w; w is an initialiser, and a graph input too where `listed`."""
    weight = numpy_helper.from_array(np.full((1, 4), 10, dtype=np.float32), "w")
    inputs = [value("x", ["batch", 4]), *([value("w", [1, 4])] if listed else [])]
    nodes = [helper.make_node("Add", ["x", "w"], ["y"])]
    return model(nodes, inputs, [value("y", ["batch", 4])], weights=[weight])


def summed() -> Any:
    """total = sum of a row, [batch]; twice = x + x."""
    axes = numpy_helper.from_array(np.array([1], dtype=np.int64), "axes")
    nodes = [
        helper.make_node("ReduceSum", ["x", "axes"], ["total"], keepdims=0),
        helper.make_node("Add", ["x", "x"], ["twice"]),
    ]
    outputs = [value("total", ["batch"]), value("twice", ["batch", 4])]
    return model(nodes, [value("x", ["batch", 4])], outputs, weights=[axes])


def scalar() -> Any:
    """The sum of everything, without an axis."""
    return model(
        [helper.make_node("ReduceSum", ["x"], ["y"], keepdims=0)],
        [value("x", ["batch", 4])],
        [value("y", [])],
    )


def every_type() -> Any:
    nodes, inputs, outputs = [], [], []
    for name in TYPES:
        kind = getattr(TensorProto, ONNX_NAMES.get(name, name))
        nodes.append(helper.make_node("Identity", [f"x_{name}"], [f"y_{name}"]))
        inputs.append(value(f"x_{name}", ["batch", 3], kind))
        outputs.append(value(f"y_{name}", ["batch", 3], kind))
    return model(nodes, inputs, outputs)


def of_every_type(rows: int) -> dict[str, np.ndarray]:
    """An array of `rows` rows of each type, by type name."""
    found = {}
    for name, dtype in TYPES.items():
        plain = np.arange(rows * 3).reshape(rows, 3)
        found[name] = (plain % 2 == 0) if name == "BOOL" else plain.astype(dtype)
    texts = ["", "plain", "grün", "longer than the others", "0", "b'0'"]
    found["STRING"] = np.array([texts[i % 6].encode() for i in range(rows * 3)], dtype=object).reshape(
        rows, 3
    )
    return found


def saved(found: Any, file: str = "model.onnx", **options: Any) -> Any:
    def write(folder: Path) -> None:
        target = folder / file
        target.parent.mkdir(exist_ok=True)
        onnx.save(found, target, **options)

    return write


def without_weights(folder: Path) -> None:
    saved(big(), **EXTERNAL)(folder)
    (folder / "weights.bin").unlink()


def big() -> Any:
    """y = x @ w with weights that go into a file of their own."""
    weight = numpy_helper.from_array(np.eye(64, dtype=np.float32), "w")
    nodes = [helper.make_node("MatMul", ["x", "w"], ["y"])]
    return model(nodes, [value("x", ["batch", 64])], [value("y", ["batch", 64])], weights=[weight])


EXTERNAL: dict[str, Any] = {"save_as_external_data": True, "location": "weights.bin", "size_threshold": 0}
ROW = f32([1, 2, 3, 4])
ROWS = f32([1, 2, 3, 4], [5, 6, 7, 8])
ASK_TWICE = Ask(sent={"x": ROWS}, answered={"y": ROWS * 2})
WIDE = np.arange(64, dtype=np.float32).reshape(1, 64)
BIG = BATCHED + io("input", "x", [64]) + io("output", "y", [64])
ONE_TYPE = {name: (f"x_{name}", f"y_{name}") for name in TYPES}

LOADS = (
    Case(
        name="every_dtype",
        write=saved(every_type()),
        config=BATCHED
        + "".join(
            io("input", x, [3], f"TYPE_{n}") + io("output", y, [3], f"TYPE_{n}")
            for n, (x, y) in ONE_TYPE.items()
        ),
        asks=tuple(
            Ask(
                sent={ONE_TYPE[n][0]: a for n, a in of_every_type(rows).items()},
                answered={ONE_TYPE[n][1]: a for n, a in of_every_type(rows).items()},
            )
            for rows in (1, 4)
        ),
    ),
    Case(
        name="some_outputs",
        write=saved(summed()),
        config=BATCHED
        + io("input", "x", [4])
        + io("output", "total", [1], more="reshape { shape: [] }")
        + io("output", "twice", [4]),
        asks=(
            Ask(sent={"x": ROWS}, answered={"total": f32([10], [26]), "twice": ROWS * 2}),
            Ask(sent={"x": ROWS}, requested=("twice",), answered={"twice": ROWS * 2}),
        ),
    ),
    Case(
        name="fewer_outputs",
        write=saved(summed()),
        config=BATCHED + io("input", "x", [4]) + io("output", "twice", [4]),
        asks=(
            Ask(sent={"x": ROW}, answered={"twice": ROW * 2}),
            Ask(
                sent={"x": ROW},
                requested=("total",),
                status="400",
                says="unexpected inference output 'total'",
            ),
        ),
    ),
    Case(
        name="reshaped",
        write=saved(doubled()),
        config=BATCHED
        + io("input", "x", [2, 2], more="reshape { shape: [4] }")
        + io("output", "y", [4, 1], more="reshape { shape: [4] }"),
        asks=(Ask(sent={"x": ROWS.reshape(2, 2, 2)}, answered={"y": (ROWS * 2).reshape(2, 4, 1)}),),
    ),
    Case(
        name="unbatched",
        write=saved(doubled(batch=1)),
        config=WHOLE + io("input", "x", [1, 4]) + io("output", "y", [1, 4]),
        asks=(Ask(sent={"x": ROW}, answered={"y": ROW * 2}),),
    ),
    Case(
        name="optional_initialiser",
        write=saved(weighted(listed=True)),
        config=WHOLE
        + io("input", "x", [-1, 4])
        + io("input", "w", [1, 4], more="optional: true")
        + io("output", "y", [-1, 4]),
        asks=(
            Ask(sent={"x": ROW}, answered={"y": ROW + 10}),
            Ask(sent={"x": ROW, "w": ROW}, answered={"y": ROW + ROW}),
        ),
    ),
    Case(name="initialiser_left_out", write=saved(weighted(listed=True)), config=FITS),
    Case(
        name="external_data",
        write=saved(big(), **EXTERNAL),
        config=BIG,
        asks=(Ask(sent={"x": WIDE}, answered={"y": WIDE}),),
    ),
    Case(
        name="a_folder",
        write=saved(big(), "model.onnx/model.onnx", **EXTERNAL),
        config=BIG,
        asks=(Ask(sent={"x": WIDE}, answered={"y": WIDE}),),
    ),
    Case(
        name="other_filename",
        write=saved(doubled(), "best.onnx"),
        config=FITS + 'default_model_filename: "best.onnx"',
        asks=(ASK_TWICE,),
    ),
    Case(
        name="scalar_output",
        write=saved(scalar()),
        config=BATCHED + io("input", "x", [4]) + io("output", "y", [1]),
        asks=(
            Ask(sent={"x": ROW}, answered={"y": np.array([10], dtype=np.float32)}),
            Ask(
                sent={"x": ROWS},
                status="501",
                says="failed to split the output tensor 'y' in responses: expected batch size of at least "
                "2 in model output, got 1",
            ),
        ),
    ),
    Case(
        name="threads",
        write=saved(doubled()),
        config=FITS
        + 'parameters { key: "intra_op_thread_count" value: { string_value: "1" } }\n'
        + 'parameters { key: "execution_mode" value: { string_value: "1" } }\n'
        + "optimization { graph { level: -1 } }",
        asks=(ASK_TWICE,),
    ),
    Case(
        name="no_config",
        write=saved(summed()),
        config=None,
        asks=(Ask(sent={"x": ROWS}, answered={"total": f32([10], [26]), "twice": ROWS * 2}),),
        completed={"max_batch_size": 4, "platform": "onnxruntime_onnx"},
    ),
    Case(
        name="backend_only",
        write=saved(doubled()),
        config='backend: "onnxruntime"\nmax_batch_size: 16\n',
        asks=(ASK_TWICE,),
        completed={"max_batch_size": 16},
    ),
    Case(
        name="completed_unbatched",
        write=saved(doubled(batch=1)),
        config='backend: "onnxruntime"\n',
        asks=(Ask(sent={"x": ROW}, answered={"y": ROW * 2}),),
        completed={"max_batch_size": 0},
    ),
)

REFUSED = (
    Case(
        name="wrong_name",
        write=saved(doubled()),
        config=BATCHED + io("input", "inp", [4]) + io("output", "y", [4]),
        refused="unexpected inference input 'inp', allowed inputs are: x",
    ),
    Case(
        name="wrong_type",
        write=saved(doubled()),
        config=BATCHED + io("input", "x", [4], "TYPE_FP16") + io("output", "y", [4]),
        refused="unable to load model 'wrong_type', configuration expects datatype TYPE_FP16 for input 'x', "
        "model provides TYPE_FP32",
    ),
    Case(
        name="wrong_dims",
        write=saved(doubled()),
        config=BATCHED + io("input", "x", [5]) + io("output", "y", [4]),
        refused="making complete shape [-1,5]",
    ),
    Case(
        name="wrong_count",
        write=saved(doubled()),
        config=BATCHED + io("input", "x", [4]) + io("input", "z", [4]) + io("output", "y", [4]),
        refused="configuration expects 2 inputs, model provides 1",
    ),
    Case(
        name="static_batch",
        write=saved(doubled(batch=1)),
        config=FITS,
        refused="the first dimension must be -1; but shape expected by the model is [1,4]",
    ),
    Case(
        name="dynamic_dim_on_fixed",
        write=saved(doubled()),
        config=BATCHED + io("input", "x", [-1]) + io("output", "y", [4]),
        refused="making complete shape [-1,-1]",
    ),
    Case(
        name="bf16",
        write=saved(doubled()),
        config=BATCHED + io("input", "x", [4], "TYPE_BF16") + io("output", "y", [4]),
        refused="unsupported datatype TYPE_BF16",
    ),
    Case(
        name="a_sequence",
        write=saved(
            model(
                [helper.make_node("SequenceConstruct", ["x"], ["y"])],
                [value("x", ["batch", 4])],
                [helper.make_tensor_sequence_value_info("y", FLOAT, None)],
            )
        ),
        config=FITS,
        refused="Unsupported ONNX Type 'ONNX_TYPE_SEQUENCE'",
    ),
    Case(
        name="missing_file",
        write=lambda folder: (folder / "notes.txt").write_text("nothing here"),
        config=FITS,
        refused="failed to stat file",
    ),
    Case(
        name="corrupt_file",
        write=lambda folder: (folder / "model.onnx").write_bytes(b"\xff" * 64),
        config=FITS,
        refused="onnx runtime error 7: Load model from",
    ),
    Case(
        name="unknown_op",
        write=saved(
            model(
                [helper.make_node("MatMul", ["x", "x"], ["y"], domain="my.dom")],
                [value("x", ["batch", 4])],
                [value("y", ["batch", 4])],
            )
        ),
        config=FITS,
        refused="Fatal error: my.dom:MatMul(-1) is not a registered function/op",
    ),
    Case(name="missing_weights", write=without_weights, config=BIG, refused="onnx runtime error"),
    Case(
        name="newer_opset",
        write=saved(doubled(opset=22, ir=10)),
        config=FITS,
        refused="Current official support for domain ai.onnx is till opset 21.",
    ),
    Case(
        name="newer_ir",
        write=saved(doubled(opset=21, ir=11)),
        config=FITS,
        refused="Unsupported model IR version: 11, max supported IR version: 10",
    ),
    Case(
        name="threads_in_words",
        write=saved(doubled()),
        config=FITS + 'parameters { key: "intra_op_thread_count" value: { string_value: "two" } }',
        refused="failed to convert 'two' to integral number",
    ),
    Case(
        name="openvino",
        write=saved(doubled()),
        config=FITS
        + 'optimization { execution_accelerators { cpu_execution_accelerator { name: "openvino" } } }',
        refused="unknown Execution Accelerator 'openvino' is requested",
    ),
    Case(
        name="batched_in_vain",
        write=saved(doubled(batch=1)),
        config=BATCHED,
        refused="autofill failed for model 'batched_in_vain': model does not support batching while non-zero "
        "max_batch_size is specified",
    ),
)

CASES = LOADS + REFUSED


def counted() -> Any:
    """y = x; rows = how many rows the run had, in each row."""
    nodes = [
        helper.make_node("Identity", ["x"], ["y"]),
        helper.make_node("Shape", ["x"], ["size"], start=0, end=1),
        helper.make_node("Cast", ["size"], ["count"], to=FLOAT),
        helper.make_node("Sub", ["x", "x"], ["zeros"]),
        helper.make_node("Add", ["zeros", "count"], ["rows"]),
    ]
    return model(nodes, [value("x", ["batch", 1])], [value("y", ["batch", 1]), value("rows", ["batch", 1])])


COUNTED = Case(
    name="counted_onnx",
    write=saved(counted()),
    config=BATCHED
    + io("input", "x", [1])
    + io("output", "y", [1])
    + io("output", "rows", [1])
    + "dynamic_batching { max_queue_delay_microseconds: 500000 }",
)
