from dataclasses import replace
from itertools import count

import numpy as np
import pytest

from builder.check.concurrency import largest_batch, small_requests, together
from builder.check.port import NoAnswer
from builder.compare import tolerances
from builder.spec.dtypes import DType
from builder.spec.project import Axis, Input
from builder.spec.tensors import Signature, Tensor
from tests.fakes.batching_server import BatchingServer


def crowd(loaded, server, *, must_batch=True):
    return together(
        loaded,
        server,
        tolerances(loaded.model, loaded.signature),
        max_batch_size=server.max_batch_size,
        must_batch=must_batch,
    )


def test_rows_that_do_not_mind_company_pass(loaded):
    """A row-independent model passes, in batches that formed, and equality to the bit is told."""
    found = crowd(loaded, BatchingServer(loaded.reference))

    assert found.hop.passed
    assert found.largest_batch > 1
    assert found.hop.note == "every answer equals its lone answer exactly"


def test_a_model_that_mixes_rows_fails(loaded):
    """A row that depends on the others in its batch is not its lone answer."""

    def mixes(feed):
        answer = loaded.reference(feed)["y"]
        return {"y": answer + np.float32(0.1) * answer.mean(axis=0)}

    found = crowd(loaded, BatchingServer(mixes))

    assert not found.hop.passed
    assert "want" in found.hop.comparisons[0].outputs[0].problem


def test_a_server_that_swaps_answers_fails(loaded):
    """Answers given to the wrong request are caught, although each is a right answer to somebody."""
    found = crowd(loaded, BatchingServer(lambda feed: {"y": loaded.reference(feed)["y"][::-1]}))

    assert not found.hop.passed


def test_larger_bursts_are_tried_before_giving_up(loaded):
    """A server that never batches is sent larger and larger bursts, and the largest batch stays 1."""
    found = crowd(loaded, BatchingServer(loaded.reference, max_batch_size=1))

    assert found.largest_batch == 1
    assert found.concurrency == 64
    assert found.hop.passed


def test_a_request_that_fails_in_the_crowd_fails_the_hop(loaded):
    """A server that refuses one of the requests of a burst has not passed."""
    server = BatchingServer(loaded.reference)
    alone = server.grpc
    asked = count()

    def sometimes(feed):
        return NoAnswer("queue is full") if next(asked) == 99 else alone(feed)

    server.grpc = sometimes

    found = crowd(loaded, server)

    assert not found.hop.passed
    assert "queue is full" in found.hop.problem


def test_only_batches_run_meanwhile_count():
    """A batch size that the server had run before, and not since, is not a batch that formed now."""
    assert largest_batch({1: 5, 8: 2}, {1: 9, 8: 2}) == 1
    assert largest_batch({1: 5}, {1: 5, 4: 1}) == 4
    assert largest_batch({}, {}) == 0


@pytest.fixture
def tokens(loaded):
    """A model of ids in rows of 2 to 40, which adds each row up."""
    ids = Input(dtype=DType.INT64, shape=("batch", "seq"), range=(0, 9))
    model = replace(
        loaded.model, inputs={"ids": ids}, dims={"batch": Axis(max=8), "seq": Axis(min=2, max=40)}
    )
    signature = Signature(
        inputs=(Tensor(name="ids", dtype=DType.INT64, shape=("batch", "seq")),),
        outputs=(Tensor(name="y", dtype=DType.INT64, shape=("batch",)),),
    )
    return replace(
        loaded, model=model, signature=signature, reference=lambda feed: {"y": feed["ids"].sum(axis=1)}
    )


def test_a_free_axis_is_asked_at_its_typical_and_at_its_smallest_size(tokens):
    """Without samples the crowd asks for rows of 17 and of 2, each round in one of them, and batches form."""
    seen = []

    def model(feed):
        seen.append(feed["ids"].shape)
        return tokens.reference(feed)

    found = crowd(tokens, BatchingServer(model))

    assert found.hop.passed
    assert found.largest_batch > 1
    assert {length for rows, length in seen if rows > 1} == {2, 17}


def test_samples_are_what_the_crowd_asks_with(tokens):
    """With samples, every request is one of them, on its own."""
    samples = {"ids": np.arange(15).reshape(3, 5)}

    (group,) = small_requests(replace(tokens, samples=samples), 4)

    assert [feed["ids"].tolist() for feed in group] == [
        [[0, 1, 2, 3, 4]],
        [[5, 6, 7, 8, 9]],
        [[10, 11, 12, 13, 14]],
        [[0, 1, 2, 3, 4]],
    ]
