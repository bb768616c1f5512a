"""Models at random, right and nearly so: lint's verdict is the server's on every one."""

import time
from collections.abc import Iterator
from random import Random
from typing import Final

import pytest

from builder.lint import Target
from builder.lint.model import lint_model
from builder.spec.findings import Finding, Severity
from builder.spec.releases import release
from tests.live.core_server import CoreServer, core_server, needs_backend
from tests.live.random_models import Files, model

TARGET: Final = Target(release=release("24.10"), gpus=0)
SEED: Final = 20241001
LEAST: Final = 200
SECONDS: Final = 40.0
AT_REQUESTS: Final = ("C234", "C235")
"""What lint says of models that load and cannot be asked."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CoreServer]:
    with core_server(tmp_path_factory.mktemp("random")) as server:
        needs_backend(server)
        yield server


def verdicts(server: CoreServer, files: Files, name: str) -> tuple[bool, list[Finding], str]:
    """Return whether the server loads a model, what lint finds in it, and what the server says."""
    found = lint_model(server.add(files, name=name), TARGET).findings
    answer = server.load(name)
    if answer.has_ended:  # it ends now and then of its own accord; what it does again is the model's doing
        answer = server.load(name)
    errors = [one for one in found if one.severity is Severity.ERROR and one.code not in AT_REQUESTS]
    return answer.is_ready, errors, answer.words


@pytest.mark.slow
def test_lint_and_the_server_agree_on_models_at_random(server: CoreServer) -> None:
    """Lint has an error exactly where the server does not load the model; about three in ten load."""
    started = time.monotonic()
    loaded = number = 0
    while number < LEAST or time.monotonic() - started < SECONDS:
        files = model(Random(SEED + number))
        is_ready, errors, words = verdicts(server, files, f"M{number}")
        assert is_ready == (not errors), f"seed {SEED + number}: {words}\n{errors}\n{files}"
        loaded += is_ready
        number += 1
    assert 0.2 < loaded / number < 0.8
