"""What two servers are apart by, told by output over all cases."""

import math

import numpy as np

from builder.check.against import apart
from builder.check.hops import BETWEEN_SERVERS, walk
from builder.check.port import NoAnswer
from builder.compare import tolerances
from builder.feeds import cases
from builder.spec.loaded import Loaded
from builder.spec.results import Apart, Hop

NAMES = {"grpc": "gRPC", "http": "HTTP", "other grpc": "gRPC (against)", "other http": "HTTP (against)"}


def between(loaded: Loaded, there) -> tuple[Hop, ...]:
    """Hold `there` against a faithful server."""
    here = loaded.reference
    stages = {"grpc": here, "http": here, "other grpc": there, "other http": here}
    allowed = tolerances(loaded.model, loaded.signature)
    return walk(cases(loaded.model, loaded.signature), stages, NAMES, allowed, BETWEEN_SERVERS)


def found(loaded: Loaded, there) -> dict[str, Apart]:
    return {one.hop: one for one in apart(between(loaded, there))}


def test_equal_answers_are_the_same_to_the_bit(loaded):
    """Nothing is apart over either protocol, and there is no worst case."""
    both = found(loaded, loaded.reference)

    assert list(both) == ["gRPC -> gRPC (against)", "HTTP -> HTTP (against)"]
    assert all(one.bit_identical and one.passed and not one.worst_case for one in both.values())
    assert {one.cases for one in both.values()} == {len(cases(loaded.model, loaded.signature))}


def test_the_case_that_is_furthest_apart_is_named(loaded):
    """Only batches of 3 differ, over gRPC: that case, its gap and the tolerance that it takes are told."""

    def odd_at_three(feed):
        rows = len(feed["x"])
        return {"y": loaded.reference(feed)["y"] + np.float32(0.5 if rows == 3 else 1e-7)}

    both = found(loaded, odd_at_three)

    grpc = both["gRPC -> gRPC (against)"]
    assert "batch=3" in grpc.worst_case
    assert not grpc.passed
    assert math.isclose(grpc.max_abs, 0.5, rel_tol=1e-3)
    assert 0.4 < grpc.needed_atol < 0.501
    assert both["HTTP -> HTTP (against)"].bit_identical


def test_the_worst_of_every_figure_is_kept(loaded):
    """The largest relative error may be in another case than the largest absolute one."""

    def two_faults(feed):
        answer = loaded.reference(feed)["y"].copy()
        largest, smallest = np.argmax(np.abs(answer)), np.argmin(np.abs(answer))
        if len(feed["x"]) == 3:
            answer.flat[largest] += np.float32(0.25)
        elif len(feed["x"]) == 8:
            answer.flat[smallest] *= np.float32(3)
        return {"y": answer}

    grpc = found(loaded, two_faults)["gRPC -> gRPC (against)"]

    assert grpc.max_abs >= 0.2499
    assert grpc.max_rel >= 1.99


def test_a_request_that_the_other_server_refuses_fails_its_hop(loaded):
    """What it said is the hop's problem, and the other cases are still compared."""

    def refuses_large(feed):
        return NoAnswer("batch-size must be <= 4") if len(feed["x"]) > 4 else loaded.reference(feed)

    grpc, http = between(loaded, refuses_large)

    assert "batch=8: batch-size must be <= 4" in grpc.problem
    assert not grpc.passed
    assert http.passed
    assert apart([grpc])[0].cases < len(cases(loaded.model, loaded.signature))


def test_nothing_answered_is_no_output_apart(loaded):
    """A server that refuses every request has a failed hop and no figures."""
    grpc, _ = between(loaded, lambda _: NoAnswer("model is not ready"))

    assert not grpc.passed
    assert apart([grpc]) == ()
