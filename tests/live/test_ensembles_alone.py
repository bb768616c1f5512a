"""Ensembles that end a server, or never let go of a request: each gets a server of its own."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from geventhttpclient.response import HTTPConnectionClosed
from tritonclient.http import InferenceServerClient, InferInput
from tritonclient.utils import InferenceServerException

from builder.errors import ServerError
from builder.lint import Target, lint, places
from builder.server import Endpoint, Serving
from builder.server.embedded import require_alive, running
from builder.server.embedded.process import is_alive
from builder.spec.releases import release
from tests.lint.test_ensembles import PIPELINE, ensemble, model, of
from tests.live.waiting import PATIENCE_S, within

RELEASE = release("24.10")
NO_ANSWER_S = 10.0
"""How long an answer is waited for that never comes."""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Endpoint]:
    """A server over `tmp_path / "repository"`, in which a model is."""
    model(tmp_path / "repository")
    serving = Serving(
        repository=tmp_path / "repository",
        release=RELEASE,
        log_dir=tmp_path / "logs",
        models=(),
        control="explicit",
    )
    with running(serving) as endpoint:
        yield endpoint


def codes(repository: Path) -> dict[str, str]:
    return {one.model: one.code for one in lint(places([repository]), Target(release=RELEASE), jobs=1)[1]}


def test_the_server_dies_of_an_ensemble_on_a_circle(server: Endpoint, tmp_path: Path) -> None:
    """A server that loads an ensemble whose model is made of itself ends; lint has an error there."""
    ensemble(tmp_path / "repository", of("inner"), "inner")
    ensemble(tmp_path / "repository", of("inner"), "outside")
    assert server.pid is not None
    assert server.log is not None

    with (
        InferenceServerClient(server.http, network_timeout=PATIENCE_S) as client,
        pytest.raises(HTTPConnectionClosed),
    ):
        client.load_model("outside")

    # Its sockets are closed before it has ended.
    assert within(PATIENCE_S, lambda: not is_alive(server.pid))
    with pytest.raises(ServerError, match="has ended"):
        require_alive(server.pid, server.log)
    assert codes(tmp_path / "repository") == {"inner": "E112", "outside": "E112"}


@pytest.mark.parametrize(
    "steps",
    [
        pytest.param([("X", "X"), ("X", "Y")], id="endless"),
        pytest.param([("X", "Z"), ("Z", "Y")], id="twice"),
    ],
)
def test_a_request_to_an_overwritten_input_is_not_answered(
    steps: list[tuple[str, str]], server: Endpoint, tmp_path: Path
) -> None:
    """The ensemble loads, and a request gets no answer that a client can read; lint has an error there."""
    start, _, step = PIPELINE.partition("  step {")
    wired = "".join(
        "  step {" + step.removesuffix("}\n").replace('"X"', f'"{reads}"').replace('"Y"', f'"{writes}"')
        for reads, writes in steps
    )
    text = start.replace("output", 'input { name: "Z" data_type: TYPE_FP32 dims: [ 4 ] }\noutput', 1)
    ensemble(tmp_path / "repository", (text if ("X", "Z") in steps else start) + wired + "}\n")
    assert codes(tmp_path / "repository") == {"pipeline": "E108"}

    with InferenceServerClient(server.http, network_timeout=PATIENCE_S) as client:
        client.load_model("pipeline")
    sent = [zeros(name) for name in ("X", "Z") if f'input {{ name: "{name}"' in text]
    with (
        InferenceServerClient(server.http, network_timeout=NO_ANSWER_S) as client,
        pytest.raises((InferenceServerException, TimeoutError)),
    ):
        client.infer("pipeline", sent)


def zeros(name: str) -> InferInput:
    sent = InferInput(name, [1, 4], "FP32")
    sent.set_data_from_numpy(np.zeros((1, 4), np.float32))
    return sent
