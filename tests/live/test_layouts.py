"""What the server takes for a model, for a version and for neither, against what lint does."""

import shutil
from collections.abc import Iterator

import pytest

from tests.live.core_server import Answer, CoreServer, core_server, needs_backend
from tests.unit.lint.layout_cases import DEADLY, LAYOUTS, Layout
from tests.unit.lint.test_layout import laid_out


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CoreServer]:
    with core_server(tmp_path_factory.mktemp("layouts")) as server:
        needs_backend(server)
        yield server


def load(server: CoreServer, layout: Layout) -> Answer:
    assert server.library is not None
    model = laid_out(layout, server.repository / "M")
    shutil.copy(server.library, model)
    try:
        return server.load("M")
    finally:
        shutil.rmtree(model)


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
def test_the_server_takes_a_folder_as_we_do(layout: Layout, server: CoreServer) -> None:
    """The server loads it, or refuses it in the words of the case."""
    answer = load(server, layout)

    assert answer.is_ready == (not layout.words), answer.words
    assert layout.words in answer.words


@pytest.mark.parametrize("layout", DEADLY.values(), ids=DEADLY)
def test_the_server_ends(layout: Layout, server: CoreServer) -> None:
    """The server does not survive it, as the finding says."""
    assert load(server, layout).has_ended


def test_a_link_to_nowhere_in_the_root_hides_every_model(server: CoreServer) -> None:
    """With it the server cannot even list what it has."""
    link = server.repository / "old"
    link.symlink_to("absent")
    try:
        status, body = server.post("/v2/repository/index")
    finally:
        link.unlink()
    assert (status, b"failed to stat file" in body) == (500, True)
