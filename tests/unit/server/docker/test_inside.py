"""An image is asked for its packages in a container that does not stay."""

import os
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest
import requests

from builder.errors import Interrupted, ServerError
from builder.server.docker.images import Found
from builder.server.docker.inside import look_inside
from tests.fakes.docker_daemon import FakeDaemon

IMAGE = Found("triton:1", "sha256:0123", has_stand_ins=False, runtimes={})


@dataclass
class Interrupting(FakeDaemon):
    """While it makes a container, a signal comes."""

    number: int = signal.SIGTERM

    def answer(self, method: str, path: str, query: Mapping[str, str], body: Any) -> tuple[int, Any]:
        if path == "/containers/create":
            os.kill(os.getpid(), self.number)
        return super().answer(method, path, query, body)


class Silent(FakeDaemon):
    """Its containers run and do not end."""

    def answer(self, method: str, path: str, query: Mapping[str, str], body: Any) -> tuple[int, Any]:
        if path.endswith("/start"):
            return 204, ""
        if path.endswith("/wait"):
            raise requests.ReadTimeout("Read timed out.")
        return super().answer(method, path, query, body)


def test_an_image_that_never_answers_is_not_taken_for_a_daemon_that_hangs() -> None:
    """The daemon still answers: it is the image that has no word, and its container goes."""
    fake = Silent()

    with fake.connected() as one, pytest.raises(ServerError) as raised:
        look_inside(one, IMAGE, ["numpy"])

    assert raised.value.what == "triton:1 did not say which Python packages it has: no word in 120 s"
    assert fake.containers == {}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_while_the_container_is_made_leaves_none(number: int) -> None:
    """It was made, and is removed before the process ends."""
    fake = Interrupting(number=number)

    with fake.connected() as one, pytest.raises(Interrupted):
        look_inside(one, IMAGE, ["numpy"])

    assert len(fake.made) == 1
    assert fake.containers == {}
