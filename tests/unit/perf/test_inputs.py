import base64
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from builder.errors import UsageError
from builder.perf.input_file import read_input_file
from builder.perf.inputs import Wish, inputs
from builder.perf.nvidia_input import write_input
from builder.perf.requests import requests
from builder.server.protocol_shapes import as_sent
from builder.spec.dtypes import DType
from builder.spec.project import Axis, Input, Model

CARRIED = [dtype for dtype in DType if dtype is not DType.BF16]


def model(**given: Input) -> Model:
    return Model(source="m:f", inputs=given, dims={"seq": Axis(min=2, max=12), "batch": Axis(max=8)})


def tokens(**options: Any) -> Model:
    return model(
        ids=Input(dtype=DType.INT64, shape=("batch", "seq"), **{"range": (5, 9)} | options),
        mask=Input(dtype=DType.INT64, shape=("batch", "seq"), range=(0, 1)),
    )


def write(one: Model, x: Any, path: Path, *, batches: bool = True) -> None:
    ranks = {name: max(len(tensor.shape), 1 + batches) for name, tensor in one.inputs.items()}
    dtypes = {name: tensor.dtype for name, tensor in one.inputs.items()}
    write_input([as_sent({"x": x}, ranks)], dtypes, path, batches=batches)


def values(dtype: DType, shape: tuple[int, ...]) -> Any:
    count = int(np.prod(shape))
    if dtype is DType.STRING:
        texts = [b"", b"\xff\x00", "h\u00e9".encode(), b"x" * 300]
        return np.array([texts[k % 4] for k in range(count)], dtype=object).reshape(shape)
    return (np.arange(count) % 3).astype(dtype.numpy).reshape(shape)


@pytest.mark.parametrize("dtype", CARRIED)
def test_perf_analyzers_json_carries_every_dtype_exactly(dtype: DType, tmp_path: Path) -> None:
    """What is written for perf_analyzer reads back as the same rows, strings that are no text included."""
    one = model(x=Input(dtype=dtype, shape=("batch", "seq", 2)))
    sent = values(dtype, (3, 4, 2))

    write(one, sent, tmp_path / "in.json")
    rows = read_input_file(tmp_path / "in.json", one)

    assert len(rows) == 3
    np.testing.assert_array_equal(np.concatenate([row["x"] for row in rows]), sent)
    assert rows[0]["x"].dtype == np.dtype(dtype.numpy)


def test_an_input_of_the_batch_axis_alone_is_written_as_the_server_takes_it(tmp_path: Path) -> None:
    """[batch] is served as [batch, 1], so a step's shape is [1]; it reads back as [batch]."""
    one = model(x=Input(dtype=DType.FP32, shape=("batch",)))

    write(one, np.array([1, 2], np.float32), tmp_path / "in.json")

    assert [s["x"]["shape"] for s in json.loads((tmp_path / "in.json").read_text())["data"]] == [[1], [1]]
    assert [row["x"].tolist() for row in read_input_file(tmp_path / "in.json", one)] == [[1.0], [2.0]]


def test_a_server_that_does_not_batch_gets_whole_requests(tmp_path: Path) -> None:
    """With max_batch_size 0 the first axis is like any other, and stays in the shape."""
    one = model(x=Input(dtype=DType.FP32, shape=("batch", 4)))

    write(one, np.zeros((3, 4), np.float32), tmp_path / "in.json", batches=False)

    assert [s["x"]["shape"] for s in json.loads((tmp_path / "in.json").read_text())["data"]] == [[3, 4]]


@pytest.mark.parametrize(
    "step",
    [
        [1, 2, 3],
        [[1, 2, 3]],
        {"content": [1, 2, 3]},
        {"content": [1, 2, 3], "shape": [3]},
        {"b64": base64.b64encode(np.array([1, 2, 3], "<i4").tobytes()).decode()},
    ],
)
def test_every_form_of_a_step_is_read(step: Any, tmp_path: Path) -> None:
    """A list, a nested list, content with and without a shape, and base64 are the same three numbers."""
    path = tmp_path / "in.json"
    path.write_text(json.dumps({"data": [[{"x": step}]]}))

    (row,) = read_input_file(path, model(x=Input(dtype=DType.INT32, shape=("batch", 3), range=(0, 9))))

    assert row["x"].tolist() == [[1, 2, 3]]
    assert row["x"].dtype == np.int32


@pytest.mark.parametrize(
    ("document", "told"),
    [
        ("{", "cannot be read"),
        ({"data": []}, "no steps"),
        ({"data": [{}]}, "has no x"),
        ({"data": [{"x": [1, 2, 3], "z": [1]}]}, "no input z"),
        ({"data": [{"x": [1, 2]}]}, "2 values"),
        ({"data": [{"x": {"content": [1, 2], "shape": [2]}}]}, "shape [2]"),
        ({"data": [{"x": [1, 2, 300]}]}, "int8 does not hold"),
        ({"data": [{"x": [1, 2, 2.5]}]}, "int8 does not hold"),
        ({"data": [{"x": {"b64": "!"}}]}, "not base64"),
        ({"data": [{"x": {}}]}, "no values"),
        ({"data": [{"x": {"content": [1, 2, 3], "shape": 3}}]}, "x.shape is 3"),
        ({"data": [{"x": {"content": [1, 2, 3], "shape": ["3"]}}]}, "x.shape is ['3']"),
        ({"data": [{"x": {"content": [1, 2, 3], "shape": [-1]}}]}, "x.shape is [-1]"),
    ],
)
def test_a_file_that_does_not_fit_is_refused_with_its_place(document: Any, told: str, tmp_path: Path) -> None:
    """A bad JSON file of inputs is an error that names the file and what is wrong."""
    path = tmp_path / "in.json"
    path.write_text(document if isinstance(document, str) else json.dumps(document))

    with pytest.raises(UsageError) as failure:
        read_input_file(path, model(x=Input(dtype=DType.INT8, shape=("batch", 3), range=(0, 9))))

    assert str(path) in failure.value.what
    assert told in failure.value.what


def test_an_npz_gives_its_rows_and_sizes(tmp_path: Path) -> None:
    """An .npz is cast to the spec's dtype without loss, and its sizes stand in the report."""
    arrays = {name: np.ones((6, 7), np.int32) for name in ("ids", "mask")}
    np.savez(tmp_path / "real.npz", **arrays)

    (feed,), text = inputs(tokens(), None, Wish(file=tmp_path / "real.npz"))

    assert feed["ids"].dtype == np.int64
    assert text == "real.npz, 6 rows, seq=7"


@pytest.mark.parametrize(
    "arrays", [{"ids": (6, 7)}, {"ids": (6, 7), "mask": (5, 7)}, {"ids": (6,), "mask": (6,)}]
)
def test_an_npz_that_does_not_fit_is_refused(arrays: Mapping[str, tuple[int, ...]], tmp_path: Path) -> None:
    """A missing input, different numbers of rows or a missing axis is an error."""
    np.savez(tmp_path / "real.npz", **{name: np.ones(shape, np.int64) for name, shape in arrays.items()})

    with pytest.raises(UsageError):
        inputs(tokens(), None, Wish(file=tmp_path / "real.npz"))


@pytest.mark.parametrize("content", [b"", b"ids: 1", None])
def test_a_file_that_is_no_npz_is_refused_with_its_name(content: bytes | None, tmp_path: Path) -> None:
    """An empty file, text, and one array of numpy.save under the name .npz are errors that name the file."""
    path = tmp_path / "real.npz"
    with path.open("wb") as file:
        np.save(file, np.ones(3)) if content is None else file.write(content)

    with pytest.raises(UsageError, match=r"real\.npz cannot be read") as failure:
        inputs(tokens(), None, Wish(file=path))

    assert "savez" in failure.value.fix


@pytest.mark.parametrize(
    ("dtype", "array"),
    [(DType.STRING, np.ones((2, 3), np.int64)), (DType.INT64, np.full((2, 3), np.nan))],
)
def test_values_that_a_type_does_not_hold_are_refused(dtype: DType, array: Any, tmp_path: Path) -> None:
    """Numbers are no strings, and NaN is no integer."""
    np.savez(tmp_path / "real.npz", x=array)
    one = model(x=Input(dtype=dtype, shape=("batch", 3), range=None if dtype is DType.STRING else (0, 1)))

    with pytest.raises(UsageError, match="does not hold"):
        read_input_file(tmp_path / "real.npz", one)


def test_random_inputs_stay_in_the_declared_range_at_the_largest_size() -> None:
    """Without samples, integers are those of the range, and a free axis has its max: the report says so."""
    feeds, text = inputs(tokens(), None, Wish())

    assert {int(one) for feed in feeds for one in feed["ids"].reshape(-1)} == {5, 6, 7, 8, 9}
    assert feeds[0]["ids"].shape[1] == 12
    assert text.startswith("random values of the declared range (seed 0), 32 rows, seq=12")
    assert text.endswith("(the largest that trb.yaml declares)")


def test_samples_come_first_unless_another_size_is_asked_for() -> None:
    """Samples are sent; random values only where --size asks for a size that the samples have not."""
    samples = {name: np.full((3, 4), 6) for name in ("ids", "mask")}

    assert inputs(tokens(), samples, Wish())[1] == "samples, 3 rows, seq=4"
    assert inputs(tokens(), samples, Wish(sizes={"seq": 4}))[1] == "samples, 3 rows, seq=4"
    assert inputs(tokens(), samples, Wish(sizes={"seq": 5}))[1].endswith("(seed 0), 32 rows, seq=5")


def test_the_report_says_how_many_of_many_rows_are_sent() -> None:
    """At most 32 requests are sent in turn, and of a thousand samples the report says so."""
    samples = {name: np.full((1000, 4), 6) for name in ("ids", "mask")}

    (feed,), text = inputs(tokens(), samples, Wish(batch=2))

    assert text == "samples, the first 64 of 1000 rows, seq=4"
    assert sum(len(one["ids"]) for one in requests(tokens(), [feed], 2)) == 64


def test_integers_without_a_range_are_never_random() -> None:
    """An integer input without samples or a range is refused, and the range is the fix."""
    with pytest.raises(UsageError, match="ids") as failure:
        inputs(tokens(range=None), None, Wish())

    assert "inputs.ids.range" in failure.value.fix


@pytest.mark.parametrize("sizes", [{"sec": 4}, {"batch": 4}, {"seq": 13}, {"seq": 1}])
def test_a_size_that_the_spec_does_not_have_is_refused(sizes: Mapping[str, int]) -> None:
    """An unknown axis, the batch axis, and a size outside the declared ones are errors."""
    with pytest.raises(UsageError, match="="):
        inputs(tokens(), None, Wish(sizes=sizes))


@given(st.lists(st.integers(1, 9), min_size=1, max_size=3), st.integers(1, 8))
def test_requests_have_the_asked_rows_in_the_order_of_the_feeds(counts: list[int], batch: int) -> None:
    """Rows of all feeds travel in order, `batch` at a time, from the start again to fill the last request."""
    one = model(x=Input(dtype=DType.FP32, shape=("batch", 1)))
    rows = np.arange(sum(counts), dtype=np.float32)[:, None]

    sent = requests(one, [{"x": part} for part in np.split(rows, np.cumsum(counts)[:-1])], batch)

    assert all(request["x"].shape == (batch, 1) for request in sent)
    flat = np.concatenate([request["x"] for request in sent]).reshape(-1)
    assert len(flat) - len(rows) < batch
    assert flat[: len(rows)].tolist() == rows.reshape(-1).tolist()


def test_rows_of_different_shapes_do_not_share_a_request() -> None:
    """Rows of two lengths give requests of one length each."""
    feeds = [{name: np.full((3, seq), 6) for name in ("ids", "mask")} for seq in (4, 7)]

    assert [one["ids"].shape for one in requests(tokens(), feeds, 3)] == [(3, 4), (3, 7)]


def test_rows_are_refused_where_the_model_does_not_take_them() -> None:
    """More rows than the maximum, and rows of a model without a batch axis, are errors."""
    fixed = model(x=Input(dtype=DType.FP32, shape=(1, 4)))

    with pytest.raises(UsageError, match="at most 8"):
        requests(tokens(), [{name: np.ones((1, 4)) for name in ("ids", "mask")}], 9)
    with pytest.raises(UsageError, match="axis batch"):
        requests(fixed, [{"x": np.ones((1, 4))}], 2)
    assert len(requests(fixed, [{"x": np.ones((1, 4))}], 1)) == 1


def test_nothing_to_send_is_an_error() -> None:
    """Without a feed there is no load, and that is said."""
    with pytest.raises(UsageError, match="nothing to send"):
        requests(tokens(), [], 1)
    with pytest.raises(UsageError, match="no rows"):
        requests(tokens(), [{name: np.ones((0, 4)) for name in ("ids", "mask")}], 1)


def test_values_of_samples_come_in_no_other_size() -> None:
    """An input whose values come from the samples alone is not drawn for a size that they do not have."""
    one = tokens(values="samples")
    samples = {name: np.full((4, 3), 1 + 4 * (name == "ids")) for name in ("ids", "mask")}

    assert inputs(one, samples, Wish(sizes={"seq": 3}))[1].startswith("samples")
    with pytest.raises(UsageError, match="come from the samples alone, which have seq=3"):
        inputs(one, samples, Wish(sizes={"seq": 4}))
