"""The rules of the server core against the server core itself."""

from collections.abc import Iterator

import pytest

from tests.live.core_server import Answer, CoreServer, core_server, needs_backend
from tests.unit.rules.core_cases import CASES, DEADLY, TAKEN, Case

ATTEMPTS = 5
"""When an initial state is refused, the server often ends before it can say so."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CoreServer]:
    with core_server(tmp_path_factory.mktemp("core")) as server:
        needs_backend(server)
        yield server


def ask(server: CoreServer, case: Case) -> Answer:
    return server.ask({"config.pbtxt": case.text, "1/": "", **case.files})


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_the_words_are_the_servers_own(case: Case, server: CoreServer) -> None:
    """The server refuses the same config with the same sentence."""
    answer = ask(server, case)
    attempts = 1
    while answer.has_ended and "initial_state" in case.text and attempts < ATTEMPTS:
        answer = ask(server, case)
        attempts += 1

    assert not answer.is_ready
    assert case.words in answer.words or (answer.has_ended and attempts == ATTEMPTS)


@pytest.mark.parametrize("text", TAKEN.values(), ids=TAKEN)
def test_the_server_takes_what_we_take(text: str, server: CoreServer) -> None:
    """The server loads it."""
    assert server.ask({"config.pbtxt": text, "1/": ""}, name="M").is_ready


@pytest.mark.parametrize("case", DEADLY.values(), ids=DEADLY)
def test_the_server_ends(case: Case, server: CoreServer) -> None:
    """The server does not survive it, as the refusal says."""
    assert ask(server, case).has_ended
