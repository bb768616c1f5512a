"""What is said when a model refuses a case."""

from typing import Any

import numpy as np
import pytest

from builder.errors import SourceError
from builder.feeds import answer, cases
from builder.spec.dtypes import DType
from builder.spec.loaded import Feed
from builder.spec.project import Axis, Input, Model
from builder.spec.tensors import Signature

MODEL = Model(
    source="m:load",
    inputs={
        "ids": Input(dtype=DType.INT64, shape=("batch", 3), range=(0, 9)),
        "mask": Input(dtype=DType.BOOL, shape=("batch", 3)),
    },
    dims={"batch": Axis(max=4)},
)
NOTHING = Signature(inputs=(), outputs=())


def fed(run: Any, samples: Feed | None) -> None:
    for case in cases(MODEL, NOTHING, samples):
        answer(run, case, MODEL, samples)


def said(run: Any, samples: Feed | None = None) -> tuple[str, str]:
    """Return what the first refusal says, and its fix."""
    with pytest.raises(SourceError) as caught:
        fed(run, samples)
    return caught.value.what, caught.value.fix


def refusing(bad: Any) -> Any:
    def run(feed: Feed) -> Feed:
        if bad(feed):
            raise ValueError("no such input")
        return feed

    return run


def test_a_refused_edge_is_named_with_its_input_and_size() -> None:
    """The case, the input that it is about, what that holds, and the key that helps are all told."""
    what, fix = said(refusing(lambda feed: feed["mask"].all()))

    assert what.startswith("all-max batch=2: ValueError: no such input")
    assert "it runs with other values of `mask`, which is True throughout" in what
    assert "ids" not in what
    assert fix.startswith("give real inputs as `samples`, and say `values: samples` of `mask`")


def test_a_number_may_also_be_narrowed() -> None:
    """Of whole numbers the range is the first thing to look at."""
    what, fix = said(refusing(lambda feed: feed["ids"].max() == 9 and feed["ids"].min() == 9))

    assert "`ids`, which is 9 throughout" in what
    assert fix.startswith("narrow the `range` of `ids`; or")


def test_a_model_that_refuses_all_values_blames_no_input() -> None:
    """A size that is refused is no matter of values: only the case is added."""
    assert said(refusing(lambda feed: len(feed["ids"]) == 3)) == (
        "random batch=3: ValueError: no such input",
        "",
    )


def test_real_samples_are_not_to_be_sampled() -> None:
    """When the samples themselves are refused, `values: samples` is no way out."""
    samples = {"ids": np.full((1, 3), 5), "mask": np.zeros((1, 3), bool)}
    what, fix = said(refusing(lambda feed: (feed["ids"] == 5).all()), samples)

    assert (what, fix) == ("sample 0 batch=1: ValueError: no such input", "")
