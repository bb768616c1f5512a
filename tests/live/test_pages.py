"""The commands on the pages work, as a reader would type them."""

from collections.abc import Callable, Iterator
from pathlib import Path

import docker
import docker.errors
import pytest

from builder.server.docker.daemon import connected
from tests.live.page import DOCKER, commands, go_through

pytestmark = pytest.mark.timeout(1800)  # a page takes minutes on a busy machine; one may build the image
PAGES = [
    "README.md",
    "docs/getting-started.md",
    *(f"examples/{name}/README.md" for name in ("digits", "tagger")),
]
WALKED = ("digits_png", "sentence_embedding", "sounds")


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES)
def test_the_commands_of_a_page_work(page: str, tmp_path: Path) -> None:
    """Every shell block of the page, in order and from the top of a checkout, ends without an error."""
    go_through(page, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("name", WALKED)
def test_the_commands_of_an_example_that_others_build_on_work(
    name: str, walked: Callable[[str], Path]
) -> None:
    """They leave a repository: the tests of the pipeline examples go on from there."""
    assert (walked(name) / "model_repository" / name / "1").is_dir()


@pytest.fixture
def unnamed_image(cpu_image: str) -> Iterator[str]:
    """The tag that `trb image build` gives by itself, given back afterwards to whatever had it.

    The layers are there already, by `cpu_image`, so that its build takes seconds and asks no network.
    """
    tag = "trb-triton:24.10-cpu"
    with connected() as daemon:
        before = _id_of(daemon.client, tag)
        yield tag
        if before is not None:
            daemon.client.images.get(before).tag(tag)
        elif _id_of(daemon.client, tag) is not None:
            daemon.client.images.remove(tag, noprune=True)


@pytest.mark.slow
def test_the_docker_section_of_the_readme_works(unnamed_image: str, tmp_path: Path) -> None:
    """Its commands, in the folder of the page's example, end without an error and leave no container."""
    assert unnamed_image in commands("README.md", DOCKER)

    go_through("README.md", tmp_path, section=DOCKER, after="cd examples/text_encoder\ntrb build")

    repository = tmp_path / "examples" / "text_encoder" / "model_repository"
    with connected() as daemon:
        wanted: dict[str, str | list[str] | bool] = {"label": f"trb.repository={repository}"}
        assert daemon.client.containers.list(all=True, filters=wanted) == []


def _id_of(client: docker.DockerClient, tag: str) -> str | None:
    try:
        return str(client.images.get(tag).id)
    except docker.errors.ImageNotFound:
        return None
