"""The server's own account of a pipeline's steps."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from builder.errors import ServerError
from builder.lint import Target, wired
from builder.perf import counts_at_rest, step_times
from builder.server import Serving, open_server
from builder.server.client import Client, connected
from builder.spec.pipeline import Wired
from builder.spec.releases import release
from tests.unit.lint.ensemble_files import X, ensemble, model

SLEEPS = """
import time
import triton_python_backend_utils as pb

class TritonPythonModel:
    def execute(self, requests):
        time.sleep({seconds})
        return [
            pb.InferenceResponse([pb.Tensor("y", pb.get_input_tensor_by_name(one, "x").as_numpy())])
            for one in requests
        ]
"""
RELEASE = release("24.10")


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Client, Wired, Wired]]:
    """An ensemble of a step that sleeps 20 ms and one that does not, and another around it."""
    root = tmp_path_factory.mktemp("steps") / "models"
    for name, seconds in (("quick", 0), ("slow", 0.02)):
        model(root, name, {"x": X}, {"y": X}, backend="python")
        (root / name / "1" / "model.py").write_text(SLEEPS.format(seconds=seconds))
    steps = [("quick", {"x": "a"}, {"y": "b"}), ("slow", {"x": "b"}, {"y": "c"})]
    ensemble(root, "inner", {"a": X}, {"c": X}, steps)
    ensemble(root, "outer", {"a": X}, {"c": X}, [("inner", {"a": "a"}, {"c": "c"})])
    inner, outer = wired(root, Target(release=RELEASE))
    serving = Serving(repository=root, release=RELEASE)
    with open_server("embedded", serving) as endpoint, connected(endpoint) as client:
        yield client, inner, outer


def load(client: Client, name: str, requests: int) -> None:
    for _ in range(requests):
        client.infer_grpc(name, 1, {"a": np.ones((1, 4), np.float32)})


def test_the_time_is_told_where_it_is_spent(pipeline: tuple[Client, Wired, Wired]) -> None:
    """A step that sleeps has at least its sleep on account, and the shares are a whole."""
    client, inner, _ = pipeline
    load(client, "inner", 3)
    before = counts_at_rest(client, inner)
    load(client, "inner", 10)
    quick, slow = step_times(inner, before, counts_at_rest(client, inner))

    assert (quick.step, slow.step) == ("quick", "slow")
    assert (quick.requests, slow.requests) == (10, 10)
    assert slow.compute_us >= 20_000
    assert quick.compute_us > 0
    assert quick.share + slow.share == pytest.approx(1)


def test_a_pipeline_that_is_a_step_has_the_time_of_its_own_steps(
    pipeline: tuple[Client, Wired, Wired],
) -> None:
    """The server accounts for an ensemble in an ensemble as for a model."""
    client, _, outer = pipeline
    before = counts_at_rest(client, outer)
    load(client, "outer", 5)
    (one,) = step_times(outer, before, counts_at_rest(client, outer))

    assert (one.step, one.requests, one.share) == ("inner", 5, 1.0)
    assert one.compute_us >= 20_000


def test_a_step_that_is_not_served_is_said_in_the_servers_words(
    pipeline: tuple[Client, Wired, Wired],
) -> None:
    """Figures of a model that is not there are not made up."""
    client, inner, _ = pipeline
    strange = replace(inner, steps=(replace(inner.steps[0], model="nowhere"),))

    with pytest.raises(ServerError, match="the statistics of nowhere version 1"):
        counts_at_rest(client, strange)
