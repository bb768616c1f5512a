"""The file beside a served model.py: rows, batches, types, and errors that stay with their request."""

import ast
from pathlib import Path

import numpy as np
import pytest

from builder.runtimes import python_step
from builder.runtimes.python_step import Failed, Served, Step, Tensor

TEXT = (Tensor("text", "string", ("batch",)),)
NUMBER = (Tensor("n", "int64", ("batch",)),)
X = (Tensor("x", "fp32", ("batch", 2)),)


def served(function, inputs=TEXT, outputs=NUMBER, call="row") -> Served:
    step = Step(name="m", source="a:b", call=call, batch="batch", inputs=inputs, outputs=outputs)
    return Served(step, function)


def texts(*words: bytes):
    return {"text": np.array(words, dtype=object)}


def returning(value, dtype: str, shape=()):
    """Serve a function that gives `value` for one row, declared as `dtype` and `shape`."""
    return served(lambda **_: value, outputs=(Tensor("y", dtype, ("batch", *shape)),)).answer(texts(b"a"))[
        "y"
    ]


def test_a_string_row_is_bytes_and_str_where_that_is_asked_for() -> None:
    """The annotation of a parameter decides, as an object or as a text."""
    seen = []

    def plain(text):
        seen.append(text)
        return 0

    def asked(text: str):
        seen.append(text)
        return 0

    def asked_in_words(text: "str"):
        seen.append(text)
        return 0

    served(plain).answer(texts(b"a"))
    served(asked).answer(texts("é".encode()))
    served(asked_in_words).answer(texts(b"b"))

    assert seen == [b"a", "é", "b"]


def test_whole_texts_come_as_a_list_where_that_is_asked_for() -> None:
    """`list[str]` and `list[bytes]` get lists, no annotation an object array of bytes."""
    seen = []

    def as_texts(text: list[str]):
        seen.append(text)
        return np.zeros(len(text), np.int64)

    def as_bytes(text: "list[bytes]"):
        seen.append(text)
        return np.zeros(len(text), np.int64)

    for function in (as_texts, as_bytes):
        served(function, call="batch").answer(texts(b"a", b"b"))

    assert seen == [["a", "b"], [b"a", b"b"]]


def test_a_row_comes_without_its_batch_axis_and_goes_back_with_it() -> None:
    """Rows of two numbers give rows of two, stacked in their order."""
    seen = []

    def double(x):
        seen.append(x.shape)
        return x * 2

    answer = served(double, X, (Tensor("y", "fp32", ("batch", 2)),)).answer(
        {"x": np.arange(6, dtype=np.float32).reshape(3, 2)}
    )

    assert seen == [(2,)] * 3
    assert answer["y"].tolist() == [[0, 2], [4, 6], [8, 10]]


def test_an_input_without_the_batch_axis_comes_whole_with_every_row() -> None:
    """What all rows share is given to each."""
    inputs = (*TEXT, Tensor("most", "int64", (1,)))
    answer = served(lambda text, most: min(len(text), int(most[0])), inputs).answer(
        {**texts(b"abc", b"a"), "most": np.array([2])}
    )

    assert answer["n"].tolist() == [2, 1]


def test_several_outputs_come_as_a_tuple_or_by_name() -> None:
    """A tuple is in the order of the outputs, a dict in any."""
    outputs = (Tensor("a", "int64", ("batch",)), Tensor("b", "string", ("batch",)))
    as_tuple = served(lambda **_: (1, "x"), outputs=outputs).answer(texts(b""))
    as_dict = served(lambda **_: {"b": b"x", "a": 1}, outputs=outputs).answer(texts(b""))

    assert as_tuple == as_dict == {"a": np.array([1]), "b": np.array([b"x"], dtype=object)}


@pytest.mark.parametrize(
    ("value", "dtype", "shape"),
    [(0.5, "fp32", ()), (3, "fp32", ()), ([1, 2], "uint8", (2,)), (True, "int64", ()), ("é", "string", ())],
)
def test_values_that_the_declared_type_holds_are_cast(value, dtype, shape) -> None:
    """Floats may be rounded, whole numbers and bools become what holds them, text becomes UTF-8."""
    assert returning(value, dtype, shape).dtype == np.dtype("object" if dtype == "string" else
                                                            {"fp32": "float32"}.get(dtype, dtype))  # fmt: skip


@pytest.mark.parametrize(
    ("value", "dtype", "told"),
    [
        (0.5, "int64", "round it"),
        (-1, "uint64", "does not hold -1"),
        (300, "uint8", "does not hold 300"),
        (2**53 + 1, "fp64", "does not hold 9007199254740993"),
        (1e39, "fp32", "does not hold 1e+39"),
        (1, "bool", "declared bool, and is a int"),
        ("a", "fp32", "declared fp32, and is a str"),
        (1, "string", "declared string, and holds a int"),
        (None, "fp32", "declared fp32, and is None"),
        ([[1.0], [1.0, 2.0]], "fp32", "declared fp32, and is no array"),
    ],
)
def test_values_that_the_declared_type_does_not_hold_are_refused(value, dtype, told) -> None:
    """No value is changed in silence: the error has the output, the row and both types."""
    with pytest.raises(Failed, match="output `y` of row 0 is declared") as caught:
        returning(value, dtype)

    assert told in str(caught.value)


def test_another_shape_is_refused_with_both() -> None:
    """The error has what was declared and what came."""
    with pytest.raises(Failed, match=r"output `y` of row 0 is declared fp32\[2\], and is float32\[3\]"):
        returning([1.0, 2.0, 3.0], "fp32", (2,))


@pytest.mark.parametrize(
    ("value", "told"), [((1, 2), "returned 2 values"), ({"m": 1}, "the outputs are n: see 'm', 'n'")]
)
def test_missing_and_odd_outputs_are_named(value, told) -> None:
    """A tuple of another length and a dict of other names are told against the declared outputs."""
    with pytest.raises(Failed, match=told):
        served(lambda **_: value).answer(texts(b"a"))


def test_what_the_function_raises_names_the_row_and_the_input() -> None:
    """The client learns which row it was, what went in, and the exception with its line."""

    def fails(text):
        if text == b"bad!":
            raise ValueError("no such word")
        return 1

    with pytest.raises(Failed) as caught:
        served(fails).answer(texts(b"fine", b"bad!"))

    assert str(caught.value).startswith(
        "m fails at row 1 (text = 4 bytes): ValueError: no such word (at test_"
    )


def test_a_function_that_exits_fails_its_request_alone() -> None:
    """sys.exit in a function does not end the process."""

    def leaves(text):
        raise SystemExit(3)

    assert isinstance(served(leaves).answers([texts(b"a")])[0], Failed)


def test_text_that_is_none_is_refused_with_its_row() -> None:
    """Bytes that are no UTF-8 are the client's mistake, and it is told."""

    def length(text: str):
        return len(text)

    with pytest.raises(Failed, match="input `text` of row 1 is no UTF-8 text"):
        served(length).answer(texts(b"a", b"\xff"))


def test_one_request_that_fails_leaves_the_others_alone() -> None:
    """Of three requests of one batch the second has an error, the others their answers."""
    found = served(lambda text: 1 // len(text)).answers([texts(b"a"), texts(b""), texts(b"c")])

    assert isinstance(found[1], Failed)
    assert [found[0]["n"].tolist(), found[2]["n"].tolist()] == [[1], [1]]


def test_requests_of_one_shape_are_one_call_of_a_function_that_takes_batches() -> None:
    """Four requests of two shapes are two calls, and each gets its own rows back."""
    sizes = []

    def double(x):
        sizes.append(x.shape)
        return x * 2

    inputs, outputs = (Tensor("x", "fp32", ("batch", "seq")),), (Tensor("y", "fp32", ("batch", "seq")),)
    feeds = [{"x": np.full(shape, n, np.float32)} for n, shape in enumerate([(1, 2), (2, 3), (2, 2), (1, 3)])]
    found = served(double, inputs, outputs, "batch").answers(feeds)

    assert sizes == [(3, 2), (3, 3)]
    assert all(np.array_equal(one["y"], feed["x"] * 2) for one, feed in zip(found, feeds, strict=True))


def test_a_joint_call_that_fails_is_made_again_for_each_request() -> None:
    """The request at fault has the error, and names no row of another."""

    def refuses(text: list[str]):
        if "bad" in text:
            raise ValueError("bad")
        return np.array([len(one) for one in text])

    found = served(refuses, call="batch").answers([texts(b"a"), texts(b"bad"), texts(b"c", b"dd")])

    assert isinstance(found[1], Failed)
    assert "at the request" in str(found[1])
    assert found[2]["n"].tolist() == [1, 2]


def test_no_rows_give_outputs_of_no_rows() -> None:
    """A function called by rows is not called at all; an axis that nothing tells is empty too."""
    outputs = (Tensor("y", "fp32", ("batch", 2)), Tensor("ids", "int64", ("batch", "seq")))
    answer = served(lambda **_: 1 / 0, outputs=outputs).answer(texts())

    assert answer["y"].shape == (0, 2)
    assert answer["ids"].shape == (0, 0)


def test_rows_of_different_lengths_cannot_be_one_answer() -> None:
    """The error says which output, both shapes, and what to do."""
    outputs = (Tensor("ids", "int64", ("batch", "seq")),)

    with pytest.raises(Failed, match=r"different shapes, \[1\] and \[2\]: pad them"):
        served(lambda text: np.zeros(len(text), np.int64), outputs=outputs).answer(texts(b"a", b"bb"))


def test_an_axis_of_its_own_is_one_size_in_all_outputs() -> None:
    """Two outputs that share the name of an axis have the same size there."""
    outputs = (Tensor("a", "int64", ("batch", "seq")), Tensor("b", "int64", ("batch", "seq")))

    with pytest.raises(Failed, match=r"output `b` of row 0 is declared int64\[seq\], and is int64\[3\]"):
        served(lambda **_: (np.zeros(2, int), np.zeros(3, int)), outputs=outputs).answer(texts(b"a"))


@pytest.mark.parametrize("sizes", [(2, 3), (3, 2)])
def test_inputs_of_different_batches_are_refused(sizes) -> None:
    """No row is dropped or missed without a word where one input has more than another."""
    inputs = (Tensor("a", "int64", ("batch",)), Tensor("b", "int64", ("batch",)))
    feed = {name: np.zeros(size, np.int64) for name, size in zip("ab", sizes, strict=True)}

    with pytest.raises(
        Failed, match=f"axis `batch` is {sizes[0]} in one input of the request, and {sizes[1]} in `b`"
    ):
        served(lambda a, b: a + b, inputs=inputs).answer(feed)


@pytest.mark.parametrize(
    "value",
    [
        pytest.param("\udc80", id="half a letter"),
        pytest.param([np.zeros((2, 1), object), np.zeros((2, 2), object)], id="ragged"),
    ],
)
def test_a_text_that_cannot_be_sent_fails_its_request(value) -> None:
    """What no string tensor holds is the function's failure, and not that of the whole batch."""
    with pytest.raises(Failed, match="is declared string, and cannot be one array of texts"):
        returning(value, "string", (2,) if isinstance(value, list) else ())


def test_the_file_needs_nothing_but_numpy_and_reads_as_python_3_8() -> None:
    """It is copied into images that have neither trb nor a new Python."""
    tree = ast.parse(Path(python_step.__file__).read_text(), feature_version=(3, 8))
    imported = {
        name.partition(".")[0]
        for node in ast.walk(tree)
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }

    assert imported == {"__future__", "collections", "importlib", "inspect", "numpy", "pathlib", "sys", "traceback",
                        "typing"}  # fmt: skip
