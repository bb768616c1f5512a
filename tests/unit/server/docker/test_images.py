"""Which image is meant, how it comes to be there, and what is known to run in it."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from builder.errors import ServerError
from builder.server.docker.images import Found, find_image, image_name
from builder.spec.releases import release
from tests.fakes.docker_daemon import FakeDaemon

NAME = "registry.example:5000/team/triton:1"
DIGEST = f"sha256:{'0123456789abcdef' * 4}"
VERSION = "NVIDIA_TRITON_SERVER_VERSION"


def image(
    labels: Mapping[str, str] | None = None, env: list[str] | None = None, machine: str = "amd64"
) -> Mapping[str, Any]:
    return {"Id": DIGEST, "Architecture": machine, "Config": {"Labels": labels, "Env": env}}


def found(daemon: FakeDaemon, name: str = NAME) -> tuple[Found, list[str]]:
    said: list[str] = []
    with daemon.connected() as one:
        return find_image(one, name, said.append), said


def refused(daemon: FakeDaemon, name: str = NAME) -> ServerError:
    with pytest.raises(ServerError) as caught:
        found(daemon, name)
    return caught.value


def test_without_a_wish_the_official_image_of_the_release_is_meant() -> None:
    """A wish is taken as it is."""
    assert image_name(None, release("24.10")) == "nvcr.io/nvidia/tritonserver:24.10-py3"
    assert image_name(NAME, release("24.10")) == NAME


def test_an_image_that_is_there_is_not_pulled() -> None:
    """Nothing is said, and no registry asked."""
    one, said = found(FakeDaemon(images={NAME: image()}))

    assert (one.name, one.id, said) == (NAME, DIGEST, [])


@pytest.mark.parametrize(
    ("name", "whole_name"),
    [
        ("triton", "triton:latest"),
        ("triton:1", "triton:1"),
        ("team/triton:1", "team/triton:1"),
        ("registry.example:5000/triton", "registry.example:5000/triton:latest"),
        ("registry.example:5000/triton:1", "registry.example:5000/triton:1"),
        (f"triton@{DIGEST}", f"triton@{DIGEST}"),
        (f"registry.example:5000/triton@{DIGEST}", f"registry.example:5000/triton@{DIGEST}"),
    ],
)
def test_one_image_is_pulled_and_no_other_of_its_name(name: str, whole_name: str) -> None:
    """A port is no tag, a digest is one image, and without either it is the newest, not all that there are."""
    daemon = FakeDaemon(registry={whole_name: image()})

    one, said = found(daemon, name)

    assert (one.name, said) == (name, [f"pulling {name}"])
    assert list(daemon.images) == [whole_name]


def test_a_pull_tells_how_far_it_is() -> None:
    """Each line names the image."""
    detail = {"current": 5_000_000, "total": 10_000_000}
    events = [{"id": "a", "status": "Downloading", "progressDetail": detail}]

    _, said = found(FakeDaemon(registry={NAME: image()}, pull=events))

    assert said == [f"pulling {NAME}", f"pulling {NAME}: {'█' * 10}{'░' * 10} 50 % of 10 MB"]


def test_a_name_that_no_registry_has_is_told_with_the_ways_on() -> None:
    """The daemon's words, and that there is an image of our own."""
    error = refused(FakeDaemon())

    assert f"does not have the image {NAME}, and cannot pull it: manifest for {NAME} not found" in error.what
    assert "`trb image build`" in error.fix
    assert error.exit_code == 6


def test_a_pull_that_breaks_off_is_told_likewise() -> None:
    """The daemon says in the middle of a pull that it gives up, with status 200."""
    events = [
        {"id": "a", "status": "Downloading", "progressDetail": {"current": 0, "total": 10}},
        {"errorDetail": {"message": "unexpected EOF"}, "error": "unexpected EOF"},
    ]

    error = refused(FakeDaemon(registry={NAME: image()}, pull=events))

    assert "cannot pull it: unexpected EOF" in error.what
    assert error.fix


def test_an_address_is_no_name_of_an_image() -> None:
    """What the SDK will not even ask for is told like a name that no registry has."""
    error = refused(FakeDaemon(), "https://registry.example/triton:1")

    assert "does not have the image https://registry.example/triton:1" in error.what
    assert "check the name" in error.fix


@pytest.mark.parametrize(
    ("built_for", "machine", "platform"), [("arm64", "x86_64", "amd64"), ("amd64", "aarch64", "arm64")]
)
def test_an_image_for_another_processor_is_refused(built_for: str, machine: str, platform: str) -> None:
    """Before anything is started, with the command that fetches the right one."""
    error = refused(FakeDaemon(images={NAME: image(machine=built_for)}, architecture=machine))

    assert f"built for {built_for}" in error.what
    assert f"`docker pull --platform linux/{platform} {NAME}`" in error.fix


@pytest.mark.parametrize("built_for", ["arm64", ""])
def test_an_image_for_this_processor_or_for_any_is_fine(built_for: str) -> None:
    """Docker names the processor otherwise than the kernel does."""
    one, _ = found(FakeDaemon(images={NAME: image(machine=built_for)}, architecture="aarch64"))

    assert one.id == DIGEST


def test_our_own_image_says_what_runs_in_it() -> None:
    """Its labels name the release whose limits it enforces, and the versions."""
    runtimes = {"onnxruntime": {"onnxruntime": "1.19.2", "numpy": "1.26.4"}}
    labels = {"trb.triton": "24.10", "trb.runtimes": json.dumps(runtimes)}

    one, _ = found(FakeDaemon(images={NAME: image(labels)}))

    assert one.has_stand_ins
    assert one.runtimes == runtimes
    assert (one.python, one.packages) == ("", {})


def test_an_image_of_ours_says_what_its_python_has() -> None:
    """The Python of its models to the minor version, and its packages by name."""
    labels = {
        "trb.triton": "24.10",
        "trb.runtimes": json.dumps({"python": {"python": "3.11.2", "numpy": "1.26.4"}}),
        "trb.packages": json.dumps({"torch": "2.13.0+cpu", "strange": 1}),
    }

    one, _ = found(FakeDaemon(images={NAME: image(labels)}))

    assert (one.python, one.packages) == ("3.11", {"torch": "2.13.0+cpu"})


def test_the_official_image_runs_what_its_release_has() -> None:
    """It names its release, and the table of releases knows the rest; no stand-in of ours is in it."""
    one, _ = found(FakeDaemon(images={NAME: image(env=["PATH=/opt/tritonserver/bin", f"{VERSION}=24.10"])}))

    known = release("24.10")
    assert not one.has_stand_ins
    assert one.runtimes == {
        "onnxruntime": {"onnxruntime": known.onnxruntime},
        "pytorch": {"torch": known.torch},
        "python": {"python": known.python},
    }


@pytest.mark.parametrize(
    "env", [None, [], ["PATH=/bin"], [f"{VERSION}=99.99"], [f"{VERSION}"], [f"{VERSION}="]]
)
def test_of_any_other_image_nothing_is_known(env: list[str] | None) -> None:
    """An image that names no release, or one that is not in the table."""
    one, _ = found(FakeDaemon(images={NAME: image(env=env)}))

    assert (one.has_stand_ins, one.runtimes) == (False, {})


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nonsense",
        "{",
        "null",
        "7",
        "[]",
        '["onnxruntime"]',
        '{"onnxruntime": "1.19.2"}',
    ],
)
def test_a_label_that_says_something_else_says_nothing(text: str) -> None:
    """A label of this name that is no table of versions is as good as none."""
    one, _ = found(FakeDaemon(images={NAME: image({"trb.runtimes": text})}))

    assert one.runtimes == {}
