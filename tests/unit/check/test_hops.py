import numpy as np
import pytest

from builder.check.hops import walk
from builder.check.port import NoAnswer
from builder.compare import tolerances
from builder.feeds import cases
from builder.spec.loaded import Loaded
from builder.spec.results import Hop

NAMES = {"reference": "PyTorch", "file": "model.onnx", "grpc": "gRPC", "http": "HTTP"}


def off_by(amount: float, ask):
    return lambda feed: {name: array + np.float32(amount) for name, array in ask(feed).items()}


def hops(loaded: Loaded, **stages) -> dict[str, Hop]:
    every = dict.fromkeys(("reference", "file", "grpc", "http"), loaded.reference) | stages
    allowed = tolerances(loaded.model, loaded.signature)
    found = walk(cases(loaded.model, loaded.signature), every, NAMES, allowed)
    return {hop.name: hop for hop in found}


def failed(found: dict[str, Hop]) -> list[str]:
    return [name for name, hop in found.items() if not hop.passed]


def test_equal_answers_pass_every_hop(loaded):
    """A faithful way passes all five hops, each over every case."""
    found = hops(loaded)

    assert failed(found) == []
    assert len(found) == 5
    assert {len(hop.comparisons) for hop in found.values()} == {len(cases(loaded.model, loaded.signature))}


def test_a_wrong_file_fails_first_at_the_file(loaded):
    """A file that differs from PyTorch, served faithfully, parts at PyTorch -> model.onnx and not after it."""
    wrong = off_by(0.5, loaded.reference)

    assert failed(hops(loaded, file=wrong, grpc=wrong, http=wrong)) == [
        "PyTorch -> model.onnx",
        "PyTorch -> gRPC",
        "PyTorch -> HTTP",
    ]


def test_a_server_that_runs_another_file_fails_at_the_server(loaded):
    """A right file behind a wrong server parts at model.onnx -> gRPC."""
    assert failed(hops(loaded, grpc=off_by(0.5, loaded.reference)))[0] == "model.onnx -> gRPC"


def test_small_gaps_that_add_up_fail_from_end_to_end(loaded):
    """Two gaps, each inside the tolerance, that together are outside it fail only from end to end."""

    def zero_reference(feed):
        return {"y": np.zeros((len(feed["x"]), 3), np.float32)}

    found = hops(
        loaded,
        reference=zero_reference,
        file=off_by(0.9e-5, zero_reference),
        grpc=off_by(1.8e-5, zero_reference),
        http=off_by(0.9e-5, zero_reference),
    )

    assert failed(found) == ["PyTorch -> gRPC"]


def test_a_refused_request_is_told_with_its_case(loaded):
    """A request without an answer fails its hops and says what was fed and what the server said."""

    def refuses_large(feed):
        return NoAnswer("batch too large") if len(feed["x"]) > 4 else loaded.reference(feed)

    found = hops(loaded, http=refuses_large)

    assert failed(found) == ["model.onnx -> HTTP", "PyTorch -> HTTP"]
    assert "batch=8" in found["model.onnx -> HTTP"].problem
    assert "batch too large" in found["model.onnx -> HTTP"].problem


@pytest.mark.parametrize("stage", ["file", "grpc", "http"])
def test_one_nan_anywhere_fails(loaded, stage):
    """A NaN in one element of one stage's answers fails the check."""

    def with_nan(feed):
        answer = loaded.reference(feed)
        answer["y"][0, 0] = np.nan
        return answer

    assert failed(hops(loaded, **{stage: with_nan}))


def test_no_cases_are_no_proof(loaded):
    """A hop that compared nothing has not passed."""
    every = dict.fromkeys(("reference", "file", "grpc", "http"), loaded.reference)

    assert not any(hop.passed for hop in walk((), every, NAMES, {}))
