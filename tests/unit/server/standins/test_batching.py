"""Many requests, one run."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from builder.server.standins.batching import Feeds, answer
from builder.server.standins.refused import RequestRefused


def rows(count: int, start: int = 0) -> Feeds:
    return {"x": np.arange(start, start + count * 2, dtype=np.float32).reshape(count, 2)}


@given(st.lists(st.integers(1, 5), min_size=1, max_size=6))
def test_each_request_gets_its_own_rows_of_one_run(counts: list[int]) -> None:
    """However many rows the requests have, one run serves them all and each answer is its own."""
    runs = []

    def run(feeds: Feeds) -> Feeds:
        runs.append(len(feeds["x"]))
        return {"y": feeds["x"] * 2}

    requests = [rows(count, start=100 * number) for number, count in enumerate(counts)]
    answers = answer(requests, run, batched=True)

    assert runs == [sum(counts)]
    for request, found in zip(requests, answers, strict=True):
        assert not isinstance(found, RequestRefused)
        np.testing.assert_array_equal(found["y"], request["x"] * 2)


def test_without_batching_each_request_is_run_alone() -> None:
    """A model whose first axis is no batch sees one request at a time, and so does a failure."""

    def run(feeds: Feeds) -> Feeds:
        if len(feeds["x"]) == 1:
            raise RequestRefused("one row", "INTERNAL")
        return {"y": feeds["x"].sum(0)}

    refused, summed = answer([rows(1), rows(3)], run, batched=False)

    assert isinstance(refused, RequestRefused)
    assert not isinstance(summed, RequestRefused)
    assert summed["y"].tolist() == [6.0, 9.0]


def test_an_output_too_short_fails_the_requests_it_cannot_reach() -> None:
    """The words and the code are the genuine backend's; requests before the gap are answered."""
    first, second = answer([rows(1), rows(1)], lambda _: {"y": np.zeros((1, 2))}, batched=True)

    assert not isinstance(first, RequestRefused)
    assert isinstance(second, RequestRefused)
    assert second.code == "UNSUPPORTED"
    assert str(second) == (
        "failed to split the output tensor 'y' in responses: expected batch size of at least 2 in model "
        "output, got 1"
    )


def test_a_failed_run_fails_every_request_of_its_batch() -> None:
    """One run, one fate."""

    def run(_: Feeds) -> Feeds:
        raise RequestRefused("no", "INTERNAL")

    assert [str(found) for found in answer([rows(1), rows(2)], run, batched=True)] == ["no", "no"]


def test_strings_are_concatenated_as_they_are() -> None:
    """Objects of bytes survive the way through a batch."""
    texts = [{"x": np.array([["a"], ["longer"]], dtype=object)}, {"x": np.array([[""]], dtype=object)}]
    answers = answer(texts, lambda feeds: {"y": feeds["x"]}, batched=True)
    assert [found["y"].tolist() for found in answers] == [[["a"], ["longer"]], [[""]]]
