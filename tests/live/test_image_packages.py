"""What Python models import is looked for in a real image, before a server is started in it."""

import json
import shutil
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest

from builder.errors import ServerError
from builder.flow.packages import require_packages
from builder.server import Container, Serving, open_server
from builder.server.client import connected as connected_client
from builder.server.docker.daemon import connected
from builder.server.docker.images import find_image
from builder.server.docker.inside import look_inside
from builder.spec.releases import release
from tests.live.docker_door import containers_of

pytestmark = [pytest.mark.live, pytest.mark.slow]

CONFIG = """
backend: "python"
input { name: "x" data_type: TYPE_FP32 dims: [ 4 ] }
output { name: "y" data_type: TYPE_FP32 dims: [ 4 ] }
"""
MODEL = """
import json
import numpy
import torch
import no_such_package
try:
    import no_such_either
except ImportError:
    pass


class TritonPythonModel:
    def execute(self, requests):
        return requests

    def unused(self):
        import no_such_third
"""
SOUND = MODEL.replace("import no_such_package", "import google.protobuf")
"""A package that is known to pip by another name than its module: `protobuf`."""


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    version = tmp_path / "repository" / "m" / "1"
    version.mkdir(parents=True)
    (version.parent / "config.pbtxt").write_text(CONFIG)
    (version / "model.py").write_text(MODEL)
    return tmp_path / "repository"


@pytest.fixture(scope="module")
def unlabelled(cpu_image: str) -> Iterator[str]:
    """The same image, without what its labels say."""
    tag = "trb-test-unlabelled:latest"
    text = f'FROM {cpu_image}\nLABEL trb.packages="" trb.runtimes=""\n'
    with connected() as daemon:
        daemon.client.images.build(fileobj=BytesIO(text.encode()), tag=tag, rm=True)
        yield tag
        daemon.client.images.remove(tag)


def require(image: str, repository: Path) -> list[str]:
    """Return what is said while the packages of the model are looked for."""
    said: list[str] = []
    serving = Serving(repository=repository, release=release("24.10"), container=Container(image=image))
    require_packages(serving, ["m"], say=said.append)
    return said


@pytest.mark.parametrize("labels", ["labelled", "unlabelled"])
def test_what_is_lacking_is_said_before_a_container_is_started(labels, cpu_image, repository, request):
    """It names the model, the module, the line, the image and what to do; a function's import is a note."""
    image = cpu_image if labels == "labelled" else request.getfixturevalue("unlabelled")
    said: list[str] = []
    serving = Serving(repository=repository, release=release("24.10"), container=Container(image=image))

    with pytest.raises(ServerError) as caught:
        require_packages(serving, ["m"], say=said.append)

    place = repository / "m" / "1" / "model.py"
    assert caught.value.what == (
        f"{image} does not have what Python models import:\n  m: `no_such_package` ({place}:5)"
    )
    assert "trb image build --requirements no_such_package" in caught.value.fix
    assert (
        said[-1] == f"m: `no_such_third` ({place}:17) is not in {image}; whether it is reached is not known"
    )


def test_what_the_image_has_is_found_under_the_name_of_the_module(cpu_image, repository):
    """A project's name is not always that of its module: the image itself is asked where its label has it not."""
    (repository / "m" / "1" / "model.py").write_text(SOUND)

    assert require(cpu_image, repository)[0] == f"asking {cpu_image} for its Python packages"


def test_an_image_whose_label_answers_is_not_started(cpu_image, repository):
    """numpy and torch stand in its label, so nothing is said and no container made."""
    text = SOUND.replace("import google.protobuf", "").replace("import no_such_third", "")
    (repository / "m" / "1" / "model.py").write_text(text)

    assert require(cpu_image, repository) == []


def test_packages_for_another_python_than_the_images_are_lacking(cpu_image, repository):
    """The release has Python 3.10, for which they lie there, and this image 3.11."""
    version = repository / "m" / "1"
    (version / "model.py").write_text(
        "from trb_step import Step\n" + MODEL.replace("import no_such_package", "")
    )
    (version / "trb_step.py").write_text("")
    (version / "code").mkdir()
    (version / "code" / "steps.py").write_text("import PIL\n")
    (version / "python3.10" / "PIL").mkdir(parents=True)
    (version / "python3.10" / "PIL" / "__init__.py").write_text("")

    with pytest.raises(
        ServerError, match=r"`PIL` .*steps.py:1\), which lies beside it for Python 3.10 alone"
    ) as caught:
        require(cpu_image, repository)
    assert "build again" not in caught.value.fix

    shutil.move(version / "python3.10", version / "python3.11")
    require(cpu_image, repository)


def test_the_one_that_asks_an_image_leaves_no_container(cpu_image, tmp_path, monkeypatch):
    """Neither where it answers nor where it has no Python to ask; its label tells it from those of other tests."""
    monkeypatch.chdir(tmp_path)
    with connected() as daemon:
        found = find_image(daemon, cpu_image, print)
        inside = look_inside(daemon, found, ["torch", "PIL", "google"])
        with pytest.raises(
            ServerError, match=r"did not say which Python packages it has: .*python3.*not found"
        ):
            look_inside(daemon, find_image(daemon, "debian:bookworm-slim", print), ["torch"])

        assert inside.python == "3.11"
        assert inside.packages == {"torch": True, "PIL": False, "google": True}
    assert containers_of(tmp_path) == []


def test_lint_asks_a_real_image(trb, cpu_image, repository, tmp_path):
    """What it lacks is an error where it is sure to be reached, a warning elsewhere; what it has is nothing."""
    done = trb("lint", repository, "--probe-image", cpu_image, "--json", cwd=tmp_path, expect=5)

    found = [(one["message"], one["severity"]) for one in json.loads(done.stdout)["findings"]]
    assert found == [
        ("ModuleNotFoundError: No module named 'no_such_package'", "error"),
        ("ModuleNotFoundError: No module named 'no_such_third'", "warning"),
    ]


def test_serving_in_an_image_that_lacks_a_package_ends_with_6(trb, cpu_image, repository, tmp_path):
    """Before a container is started: there is no log of one."""
    done = trb(
        *("serve", "--repository", repository, "--server", "docker", "--image", cpu_image),
        cwd=tmp_path,
        expect=6,
    )

    assert f"{cpu_image} does not have what Python models import:" in done.stderr
    assert "starting" not in done.stderr
    assert not list(tmp_path.rglob("triton-*.log"))


def test_the_server_in_the_image_would_have_refused_the_model(cpu_image, repository):
    """What is said beforehand is what a container says after it was started, and what passes is loaded."""
    serving = Serving(repository=repository, release=release("24.10"), container=Container(image=cpu_image))
    with (
        pytest.raises(ServerError, match="No module named 'no_such_package'"),
        open_server("docker", serving),
    ):
        pass

    text = SOUND.replace("        return requests", "        return []")
    (repository / "m" / "1" / "model.py").write_text(text)
    require(cpu_image, repository)
    with open_server("docker", serving) as endpoint, connected_client(endpoint) as client:
        assert client.model_versions_ready("m") == (1,)
