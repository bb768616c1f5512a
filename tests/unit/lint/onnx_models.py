# ruff: noqa: E501, PLR0915 - a table, each graph in a line
"""Graphs whose inputs and outputs the linter has to see as ONNX Runtime does, in ONNX's text syntax."""

from collections.abc import Iterator
from typing import Final

import numpy as np
import onnx
import onnx.parser
from onnx import TensorProto, helper, numpy_helper

HEAD: Final = '<ir_version: 8, opset_import: ["": 18]>'


def _graphs() -> Iterator[tuple[str, str]]:
    """Yield each name and graph, the head left out where it is `HEAD`."""
    yield "relu", "g (float[N,4] x) => (float[N,4] y) { y = Relu(x) }"
    yield "no batch", "g (float[1,4] x) => (float[1,4] y) { y = Relu(x) }"
    yield "free axes", "g (float[A,B,C] x) => (float[A,B,C] y) { y = Relu(x) }"
    yield "declared smaller", "g (float[N,4] x) => (float[N,9] y) { y = Relu(x) }"
    yield "declared free", "g (float[2,4] x) => (float[A,B] y) { y = Relu(x) }"
    yield "no shape", "g (float x) => (float y) { y = Relu(x) }"
    yield "no output shape", "g (float[N,4] x) => (float y) { y = Relu(x) }"
    yield "unknown output rank", "g (float[N,4] x, int64[K] s) => (float[] y) { y = Reshape(x, s) }"
    yield "scalar out", "g (float[N,4] x) => (float y) { y = ReduceSum<keepdims=0>(x) }"
    yield "scalar in", "g (float x, float[N] z) => (float[N] y) { y = Add(x, z) }"
    yield "baked reshape", "g (float[N,4] x) => (float[N,4] y) <int64[2] s = {1, 4}> { y = Reshape(x, s) }"
    yield "kept batch", "g (float[N,4] x) => (float[N,A,B] y) <int64[3] s = {0, 2, 2}> { y = Reshape(x, s) }"
    yield "flattened", "g (float[N,4,3] x) => (float[A,B] y) { y = Flatten(x) }"
    yield "transposed", "g (float[N,4] x) => (float[A,B] y) { y = Transpose(x) }"
    yield "expanded", "g (float[N,1] x) => (float[A,B] y) <int64[2] s = {1, 5}> { y = Expand(x, s) }"
    yield "tiled", "g (float[N,2] x) => (float[A,B] y) <int64[2] r = {1, 3}> { y = Tile(x, r) }"
    yield (
        "sliced",
        (
            "g (float[N,8] x) => (float[A,B] y) <int64[1] s = {1}, int64[1] e = {5}, int64[1] a = {1}> "
            "{ y = Slice(x, s, e, a) }"
        ),
    )
    yield "padded", "g (float[N,2] x) => (float[A,B] y) <int64[4] p = {0, 1, 0, 2}> { y = Pad(x, p) }"
    yield "unsqueezed", "g (float[N,2] x) => (float[A,B,C] y) <int64[1] a = {1}> { y = Unsqueeze(x, a) }"
    yield "squeezed", "g (float[N,1,2] x) => (float[A,B] y) <int64[1] a = {1}> { y = Squeeze(x, a) }"
    yield "squeezed wholly", "g (float[1,1] x) => (float y) { y = Squeeze(x) }"
    yield "joined", "g (float[N,2] x, float[N,3] z) => (float[A,B] y) { y = Concat<axis=1>(x, z) }"
    yield "joined batches", "g (float[N,2] x, float[M,2] z) => (float[A,B] y) { y = Concat<axis=0>(x, z) }"
    yield (
        "split",
        (
            "g (float[N,5] x) => (float[A,B] y, float[C,D] z) <int64[2] s = {2, 3}> { y, z = Split<axis=1>(x, s) }"
        ),
    )
    yield "top", "g (float[N,9] x) => (float[A,B] y, int64[C,D] i) <int64[1] k = {3}> { y, i = TopK(x, k) }"
    yield (
        "top of a request",
        "g (float[N,9] x, int64[1] k) => (float[A,B] y, int64[C,D] i) { y, i = TopK(x, k) }",
    )
    yield "range", "g (int64 n) => (int64[A] y) <int64 s = {0}, int64 d = {1}> { y = Range(s, n, d) }"
    yield (
        "constant range",
        "g (float[N] x) => (int64[A] y) <int64 s = {0}, int64 e = {6}, int64 d = {2}> { y = Range(s, e, d) }",
    )
    yield "filled", "g (int64[2] s) => (float[A,B] y) { y = ConstantOfShape(s) }"
    yield (
        "filled constant",
        "g (float[N] x) => (float[A,B] y) <int64[2] s = {2, 3}> { y = ConstantOfShape(s) }",
    )
    yield "shape", "g (float[N,4] x) => (int64[A] y) { y = Shape(x) }"
    yield (
        "shape reshaped",
        ("g (float[N,4] x, float[M,2,2] z) => (float[A,B,C] y) { s = Shape(z) y = Reshape(x, s) }"),
    )
    yield (
        "gathered",
        "g (int64[N,3] i) => (float[A,B,C] y) <float[2,2] t = {1, 2, 3, 4}> { y = Gather(t, i) }",
    )
    yield (
        "product",
        "g (float[N,2] x) => (float[A,B] y) <float[2,3] w = {1, 2, 3, 4, 5, 6}> { y = MatMul(x, w) }",
    )
    yield "gemm", "g (float[N,2] x) => (float[A,B] y) <float[2,1] w = {1, 2}> { y = Gemm(x, w) }"
    yield "nonzero", "g (float[N,4] x) => (int64[A,B] y) { y = NonZero(x) }"
    yield "unique", "g (float[N] x) => (float[A] y) { y = Unique(x) }"
    yield "compressed", "g (float[N,4] x, bool[K] c) => (float[A,B] y) { y = Compress<axis=0>(x, c) }"
    yield (
        "one hot",
        "g (int64[N] x) => (float[A,B] y) <int64 d = {5}, float[2] v = {0, 1}> { y = OneHot(x, d, v) }",
    )
    yield (
        "resized",
        ("g (float[N,1,4,4] x) => (float[A,B,C,D] y) <float[4] s = {1, 1, 2, 2}> { y = Resize(x, , s) }"),
    )
    yield (
        "convolved",
        ("g (float[N,1,8,8] x) => (float[A,B,C,D] y) <float[1,1,2,2] w = {1, 2, 3, 4}> { y = Conv(x, w) }"),
    )
    yield "pooled", "g (float[N,1,8,8] x) => (float[A,B,C,D] y) { y = MaxPool<kernel_shape=[2, 2]>(x) }"
    yield "averaged", "g (float[N,3,H,W] x) => (float[A,B,C,D] y) { y = GlobalAveragePool(x) }"
    yield "mean kept", "g (float[N,4,5] x) => (float[A,B,C] y) <int64[1] a = {1}> { y = ReduceMean(x, a) }"
    yield "largest", "g (float[N,4] x) => (int64[A] y) { y = ArgMax<axis=1, keepdims=0>(x) }"
    yield (
        "batch only",
        "g (float[N,4] x) => (float[N] y) <int64[1] a = {1}> { y = ReduceSum<keepdims=0>(x, a) }",
    )
    yield "cast", "g (float[N,4] x) => (float16[N,4] y) { y = Cast<to=10>(x) }"
    yield "cast to text", "g (float[N,4] x) => (string[N,4] y) { y = Cast<to=8>(x) }"
    yield "text", "g (string[N,4] x) => (string[N,4] y) { y = Identity(x) }"
    yield "double", "g (double[N] x) => (double[N] y) { y = Neg(x) }"
    yield (
        "integers",
        "g (int8[N] a, int16[N] b, int32[N] c, uint8[N] d) => (int8[N] w, int16[N] x, int32[N] y, uint8[N] z) { w = Identity(a) x = Identity(b) y = Identity(c) z = Identity(d) }",
    )
    yield (
        "unsigned",
        "g (uint16[N] a, uint32[N] b, uint64[N] c) => (uint16[N] x, uint32[N] y, uint64[N] z) { x = Identity(a) y = Identity(b) z = Identity(c) }",
    )
    yield "truths", "g (float[N,4] x) => (bool[N,4] y) { y = IsNaN(x) }"
    yield "bfloat", "g (bfloat16[N] x) => (float[N] y) { y = Cast<to=1>(x) }"
    yield "unused input", "g (float[N,4] x, float[N,2] z) => (float[N,4] y) { y = Relu(x) }"
    yield "input is output", "g (float[N,4] x) => (float[N,4] x) { }"
    yield "no input", "g () => (float[2] y) { y = Constant<value = float[2] {1, 2}>() }"
    yield (
        "weight is output",
        "g (float[N,2] x) => (float[2] w, float[N,2] y) <float[2] w = {1, 2}> { y = Add(x, w) }",
    )
    yield (
        "weight is input",
        "g (float[N,2] x, float[2] w) => (float[N,2] y) <float[2] w = {1, 2}> { y = Add(x, w) }",
    )
    yield (
        "weight is input, old",
        (
            '<ir_version: 3, opset_import: ["": 8]> '
            "g (float[N,2] x, float[2] w) => (float[N,2] y) <float[2] w = {1, 2}> { y = Add(x, w) }"
        ),
    )
    yield (
        "branch",
        (
            "g (bool c, float[N,2] x) => (float[A,B] y) "
            "{ y = If(c) <then_branch = t () => (float[A,B] o) { o = Relu(x) }, "
            "else_branch = e () => (float[A,B] p) { p = Concat<axis=1>(x, x) }> }"
        ),
    )
    yield (
        "branch with a weight",
        (
            "g (bool c, float[N,2] x) => (float[A,B] y) "
            "{ y = If(c) <then_branch = t () => (float[A,B] o) <float[2] w = {1, 2}> { o = Add(x, w) }, "
            "else_branch = e () => (float[A,B] p) { p = Neg(x) }> }"
        ),
    )
    yield (
        "loop",
        (
            "g (int64 n, bool c, float[N,2] x) => (float[A,B] y) "
            "{ y = Loop(n, c, x) <body = b (int64 i, bool d, float[K,L] s) => (bool e, float[K,L] o) "
            "{ e = Identity(d) o = Relu(s) }> }"
        ),
    )
    yield (
        "collected",
        (
            "g (int64 n, bool c, float[N,2] x) => (float[A,B] y, float[C,D,E] all) "
            "{ y, all = Loop(n, c, x) <body = b (int64 i, bool d, float[K,L] s) => (bool e, float[K,L] o, float[K,L] q) "
            "{ e = Identity(d) o = Relu(s) q = Neg(s) }> }"
        ),
    )
    yield "sequence out", "g (float[N,2] x) => (seq(float[A,B]) y) { y = SequenceConstruct(x, x) }"
    yield "sequence in", "g (seq(float[A,B]) x) => (float[C,D] y) <int64 i = {0}> { y = SequenceAt(x, i) }"
    yield "optional out", "g (float[N,2] x) => (optional(float[N,2]) y) { y = Optional(x) }"
    yield (
        "function",
        (
            '<ir_version: 8, opset_import: ["": 18, "own": 1]> '
            "g (float[N,2] x) => (float[N,2] y) { y = own.twice(x) } "
            '<domain: "own", opset_import: ["": 18]> twice (a) => (b) { b = Add(a, a) }'
        ),
    )
    yield (
        "function in function",
        (
            '<ir_version: 8, opset_import: ["": 18, "own": 1]> '
            "g (float[N,2] x) => (float y) { y = own.four(x) } "
            '<domain: "own", opset_import: ["": 18]> twice (a) => (b) { b = Add(a, a) } '
            '<domain: "own", opset_import: ["": 18, "own": 1]> four (a) => (b) { c = own.twice(a) b = own.twice(c) }'
        ),
    )
    yield (
        "contributed",
        (
            '<ir_version: 8, opset_import: ["": 18, "com.microsoft": 1]> '
            "g (float[N,2] x) => (float[A,B] y) { y = com.microsoft.Gelu(x) }"
        ),
    )
    yield (
        "fused",
        (
            '<ir_version: 8, opset_import: ["": 18, "com.microsoft": 1]> '
            "g (float[N,2] x) => (float[A,B] y) <float[2,3] w = {1, 2, 3, 4, 5, 6}> { y = com.microsoft.FusedMatMul(x, w) }"
        ),
    )
    yield (
        "classic",
        (
            '<ir_version: 8, opset_import: ["": 18, "ai.onnx.ml": 3]> '
            "g (float[N,2] x) => (float[A,B] y) { y = ai.onnx.ml.Scaler<offset = [0.0, 1.0], scale = [1.0, 2.0]>(x) }"
        ),
    )
    yield (
        "labels",
        (
            '<ir_version: 8, opset_import: ["": 18, "ai.onnx.ml": 3]> '
            'g (string[N] x) => (int64[A] y) { y = ai.onnx.ml.LabelEncoder<keys_strings = ["a"], values_int64s = [1]>(x) }'
        ),
    )
    yield "dropout", "g (float[N,2] x) => (float[A,B] y, bool[C,D] m) { y, m = Dropout(x) }"
    yield (
        "quantized",
        (
            "g (float[N,2] x) => (float[A,B] y) <float s = {0.5}, uint8 z = {3}> "
            "{ q = QuantizeLinear(x, s, z) y = DequantizeLinear(q, s, z) }"
        ),
    )
    yield "where", "g (bool[N,1] c, float[N,4] x, float[1,4] z) => (float[A,B] y) { y = Where(c, x, z) }"
    yield "broadcast", "g (float[N,1] x, float[1,M] z) => (float[A,B] y) { y = Add(x, z) }"
    yield (
        "old opset",
        '<ir_version: 4, opset_import: ["": 9]> g (float[N,4] x) => (float[A,B] y) { y = Upsample<mode="nearest">(x, s) }'.replace(
            "(x, s)", "(x, s)"
        ).replace("{ y", "<float[2] s = {1, 2}> { y"),
    )
    yield "unknown operator", "g (float[N] x) => (float[N] y) { y = NoSuchOperator(x) }"
    yield (
        "unknown domain",
        (
            '<ir_version: 8, opset_import: ["": 18, "my.dom": 1]> g (float[N] x) => (float[N] y) { y = my.dom.Op(x) }'
        ),
    )
    yield "undeclared domain", "g (float[N] x) => (float[N] y) { y = my.dom.Op(x) }"
    yield "cycle", "g (float[N] x) => (float[N] y) { y = Add(x, z) z = Relu(y) }"
    yield "out of order", "g (float[N] x) => (float[N] y) { y = Relu(z) z = Neg(x) }"
    yield "missing value", "g (float[N] x) => (float[N] y) { y = Add(x, q) }"
    yield "missing output", "g (float[N] x) => (float[N] q) { y = Relu(x) }"
    yield "twice written", "g (float[N] x) => (float[N] y) { y = Relu(x) y = Neg(x) }"
    yield "wrong type", "g (string[N] x) => (string[N] y) { y = Relu(x) }"
    yield "mixed types", "g (float[N] x, double[N] z) => (float[N] y) { y = Add(x, z) }"
    yield "wrong shapes", "g (float[2,3] x, float[2,3] z) => (float[A,B] y) { y = MatMul(x, z) }"
    yield "declared other rank", "g (float[N,4] x) => (float[A,B,C] y) { y = Relu(x) }"
    yield "declared other type", "g (float[N,4] x) => (double[N,4] y) { y = Relu(x) }"
    yield "too many arguments", "g (float[N] x) => (float[N] y) { y = Relu(x, x) }"
    yield "unknown attribute", "g (float[N] x) => (float[N] y) { y = Relu<colour=3>(x) }"


def _with_large(name: str, make: str, weights: dict[str, np.ndarray]) -> tuple[str, onnx.ModelProto]:
    model = onnx.parser.parse_model(f"{HEAD} {make}")
    for key, array in weights.items():
        model.graph.initializer.append(numpy_helper.from_array(array, key))
    return name, model


def _large() -> Iterator[tuple[str, onnx.ModelProto]]:
    """Yield graphs with weights that are left out when a file is read lightly."""
    table = np.ones((40, 60), np.float32)
    yield _with_large(
        "large product", "g (float[N,40] x) => (float[A,B] y) { y = MatMul(x, w) }", {"w": table}
    )
    yield _with_large(
        "large weight is input",
        "g (float[N,40] x, float[40,60] w) => (float[A,B] y) { y = MatMul(x, w) }",
        {"w": table},
    )
    yield _with_large(
        "large table", "g (int64[N,3] i) => (float[A,B,C] y) { y = Gather(t, i) }", {"t": table}
    )
    yield _with_large(
        "large weight is output",
        "g (float[N,60] x) => (float[40,60] w, float[N,60] y) { y = Relu(x) }",
        {"w": table},
    )
    yield _with_large(
        "large and unused", "g (float[N,60] x) => (float[N,60] y) { y = Relu(x) }", {"w": table}
    )
    yield _with_large(
        "large transposed",
        "g (float[N,60] x) => (float[A,B] y) { t = Transpose(w) y = MatMul(x, t) }",
        {"w": table},
    )
    yield _with_large(
        "large convolution",
        "g (float[N,8,9,9] x) => (float[A,B,C,D] y) { y = Conv(x, w) }",
        {"w": np.ones((64, 8, 3, 3), np.float32)},
    )
    yield _with_large(
        "large half",
        "g (float16[N,40] x) => (float16[A,B] y) { y = MatMul(x, w) }",
        {"w": np.ones((40, 90), np.float16)},
    )
    yield _with_large("large shape", "g (float[N,60] x) => (int64[A] y) { y = Shape(w) }", {"w": table})
    yield _with_large(
        "large indices",
        "g (float[N] x) => (float[A] y) { y = Gather(x, i) }",
        {"i": np.zeros(3000, np.int64)},
    )
    yield _with_large(
        "large recurrence",
        "g (float[S,N,8] x) => (float[A,B,C,D] y) { y = LSTM<hidden_size=16>(x, w, r) }",
        {"w": np.ones((1, 64, 8), np.float32), "r": np.ones((1, 64, 16), np.float32)},
    )
    branch = (
        "g (bool c, float[N,40] x) => (float[A,B] y) "
        "{ y = If(c) <then_branch = t () => (float[A,B] o) { o = MatMul(x, w) }, "
        "else_branch = e () => (float[A,B] p) { p = Neg(x) }> }"
    )
    yield _with_large("large beside a branch", branch, {"w": table})
    _, inside = _with_large("", branch, {})
    for attribute in inside.graph.node[0].attribute:
        if attribute.name == "then_branch":
            attribute.g.initializer.append(numpy_helper.from_array(table, "w"))
    yield "large in a branch", inside
    yield "large constant", _constant(table)
    yield "sparse", _sparse()


def _constant(table: np.ndarray) -> onnx.ModelProto:
    model = onnx.parser.parse_model(f"{HEAD} g (float[N,40] x) => (float[A,B] y) {{ y = MatMul(x, w) }}")
    node = helper.make_node("Constant", [], ["w"], value=numpy_helper.from_array(table, "v"))
    model.graph.node.insert(0, node)
    return model


def _sparse() -> onnx.ModelProto:
    model = onnx.parser.parse_model(f"{HEAD} g (float[N,4] x) => (float[A,B] y) {{ y = MatMul(x, w) }}")
    values = helper.make_tensor("w", TensorProto.FLOAT, [2], [1.0, 2.0])
    indices = helper.make_tensor("i", TensorProto.INT64, [2], [0, 5])
    model.graph.sparse_initializer.append(helper.make_sparse_tensor(values, indices, [4, 4]))
    return model


GRAPHS: Final = {
    name: onnx.parser.parse_model(text if text.startswith("<") else f"{HEAD} {text}")
    for name, text in _graphs()
}
MODELS: Final = {**GRAPHS, **dict(_large())}
