import hypothesis.strategies as st
from hypothesis import given

from builder.feeds import label, sizes, too_heavy, typical_sizes
from builder.spec.dtypes import DType
from builder.spec.project import Axis, Input, Model
from builder.spec.tensors import Signature, Tensor

limits = st.tuples(st.integers(1, 40), st.integers(0, 40)).map(lambda ends: Axis(min=ends[0], max=sum(ends)))


def model(shape: tuple[int | str, ...], dims: dict[str, Axis]) -> Model:
    return Model(source="m:load", inputs={"x": Input(dtype=DType.FP32, shape=shape)}, dims=dims)


@given(largest=st.integers(1, 100))
def test_batch_is_tried_at_one_two_an_odd_size_and_the_maximum(largest: int) -> None:
    """Every one of 1, 2, 3 and the maximum that the batch axis allows is tried."""
    tried = {chosen["batch"] for chosen in sizes(model(("batch", 4), {"batch": Axis(max=largest)}))}

    assert tried == {size for size in (1, 2, 3, largest) if size <= largest}


@given(batch=st.integers(1, 16), seq=limits, time=limits)
def test_every_axis_is_tried_at_both_ends_and_nothing_lies_outside(batch: int, seq: Axis, time: Axis) -> None:
    """Each axis meets its smallest and its largest size, and no size leaves its limits."""
    dims = {"batch": Axis(max=batch), "seq": seq, "time": time}
    tried = sizes(model(("batch", "seq", "time"), dims))

    for axis, ends in dims.items():
        found = {chosen[axis] for chosen in tried}
        assert {ends.min, ends.max} <= found
        assert all(ends.min <= size <= ends.max for size in found)


@given(batch=st.integers(1, 16), seq=limits, time=limits)
def test_the_longest_sizes_meet_at_batch_one(batch: int, seq: Axis, time: Axis) -> None:
    """There is a combination of batch 1 with every other axis at its largest."""
    dims = {"batch": Axis(max=batch), "seq": seq, "time": time}

    assert {"batch": 1, "seq": seq.max, "time": time.max} in sizes(model(("batch", "seq", "time"), dims))


def answering(*shape: int | str) -> Signature:
    """Return a signature with one output of this shape."""
    return Signature(inputs=(), outputs=(Tensor(name="y", dtype=DType.FP32, shape=shape),))


LONG = model(("batch", "seq"), {"batch": Axis(max=64), "seq": Axis(max=512)})


def test_outputs_too_are_weighed() -> None:
    """A small input with 4096 floats for each of its elements is too heavy; the sizes and both figures are told."""
    assert too_heavy(LONG, answering("batch", "seq", 8)) == ""
    assert too_heavy(LONG, answering("batch", "seq", 4096)) == (
        "at batch=64 seq=512: inputs and outputs have 512 MB together, and at most 256 MB are tried"
    )


def test_an_axis_of_the_outputs_alone_counts_as_the_longest() -> None:
    """An output axis without a size of its own may be as long as any of the inputs'."""
    assert too_heavy(LONG, answering("batch", "y_dim1", 4096))


def test_what_is_tried_in_any_case_is_not_too_heavy() -> None:
    """A model whose only axis is the batch is run at its largest, whatever its size."""
    assert too_heavy(model(("batch", 4), {"batch": Axis(max=64)}), answering("batch", 10**9)) == ""


def test_no_combination_comes_twice() -> None:
    """Limits that coincide do not repeat a combination."""
    tried = sizes(model(("batch", "seq"), {"batch": Axis(max=2), "seq": Axis(min=5, max=5)}))

    assert len({tuple(chosen.items()) for chosen in tried}) == len(tried)


def test_a_model_of_fixed_shapes_is_tried_once() -> None:
    """Without a dynamic axis there is one combination, of nothing."""
    assert sizes(model((1, 3), {})) == ({},)


def test_a_batch_axis_of_another_name_is_found() -> None:
    """`batching.axis` decides which axis is the batch."""
    from builder.spec.project import Batching

    spec = Model(
        source="m:load",
        inputs={"x": Input(dtype=DType.FP32, shape=("n", 2))},
        batching=Batching(axis="n"),
        dims={"n": Axis(max=7)},
    )

    assert [chosen["n"] for chosen in sizes(spec)] == [1, 2, 3, 7]


def test_a_label_reads_like_the_sizes() -> None:
    """A label spells every axis with its size, in order."""
    assert label({"batch": 3, "seq": 17}) == "batch=3 seq=17"


def test_a_long_axis_is_typically_seventeen() -> None:
    """An axis that allows 17 is typically at 17, which no power of two hides."""
    assert typical_sizes(model(("batch", "seq"), {"seq": Axis(max=512)}))["seq"] == 17
