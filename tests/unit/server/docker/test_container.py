"""What a daemon is asked for when a container is made."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from builder.errors import ServerError, UsageError
from builder.server.docker.container import Order, create, fill, why_copied
from builder.server.docker.daemon import Daemon
from builder.server.docker.gpus import gpus
from builder.server.docker.images import Found
from builder.server.docker.refused import UlimitsRefused
from builder.server.docker.run import started
from builder.server.docker.signals import Signals
from builder.server.serving import Container, Serving
from builder.spec.releases import release
from tests.fakes.docker_daemon import FakeDaemon

IMAGE = "nvcr.io/nvidia/tritonserver:24.10-py3"
GIB = 1 << 30
LOCAL = "unix:///var/run/docker.sock"
REMOTE = "tcp://docker.example:2375"
ELSEWHERE = "10.1.2.3"


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    (tmp_path / "repository" / "m" / "1").mkdir(parents=True)
    (tmp_path / "repository" / "m" / "1" / "model.onnx").touch()
    return tmp_path / "repository"


def serving(repository: Path, *, http_port: int | None = None, **options: Any) -> Serving:
    container = Container(**options)
    return Serving(repository=repository, release=release("24.10"), http_port=http_port, container=container)


def order(daemon: Daemon, wanted: Serving, *, copies: bool = False) -> Order:
    return Order(
        daemon=daemon,
        image=Found(IMAGE, "sha256:0123", has_stand_ins=False, runtimes={}),
        serving=wanted,
        names=("m",),
        gpus=gpus(wanted.container.gpus),
        copies=copies,
        detached=False,
    )


def made(wanted: Serving, *, copies: bool = False, daemon: FakeDaemon | None = None) -> Mapping[str, Any]:
    """Return what the daemon was asked for."""
    fake = daemon or FakeDaemon()
    with fake.connected() as one:
        create(order(one, wanted, copies=copies), ())
    return fake.made[0]


@dataclass
class Looking(FakeDaemon):
    """One that is asked for what lies at a path of a container, by HEAD or by GET."""

    head: int = 200
    get: int = 200
    asked: list[tuple[str, str]] = field(default_factory=list)

    def answer(self, method: str, path: str, query: Mapping[str, str], body: Any) -> tuple[int, Any]:
        if not path.endswith("/archive"):
            return super().answer(method, path, query, body)
        self.asked.append((method, query["path"]))
        return (self.head, "") if method == "HEAD" else (self.get, {"message": "input/output error"})

    def fill(self, wanted: Serving) -> None:
        with self.connected() as one:
            filled = order(one, wanted)
            fill(filled, create(filled, ()), lambda _: None)


def test_a_mounted_model_is_looked_at_and_not_read(repository: Path) -> None:
    """Its weights may be large, and the daemon far away."""
    fake = Looking()

    fake.fill(serving(repository))

    assert fake.asked == [("HEAD", "/models/m")]


@pytest.mark.parametrize(("status", "words"), [(404, "does not see"), (500, "input/output error")])
def test_what_the_daemon_cannot_look_at_is_told_in_its_words(
    status: int, words: str, repository: Path
) -> None:
    """It may lie on another filesystem, or on one that fails."""
    with pytest.raises(ServerError) as raised:
        Looking(head=status, get=status).fill(serving(repository))

    assert words in raised.value.what


def test_the_repository_is_seen_and_not_written(repository: Path) -> None:
    """It is mounted read-only where the server looks; a copy needs no mount."""
    (mount,) = made(serving(repository))["HostConfig"]["Mounts"]

    assert mount == {"Target": "/models", "Source": str(repository), "Type": "bind", "ReadOnly": True}
    assert not made(serving(repository), copies=True)["HostConfig"].get("Mounts")


def test_a_repository_that_is_a_link_is_mounted_as_what_it_leads_to(repository: Path) -> None:
    """A daemon does not follow a link within the path of a mount."""
    link = repository.with_name("link")
    link.symlink_to(repository)

    (mount,) = made(serving(link))["HostConfig"]["Mounts"]

    assert mount["Source"] == str(repository)


def test_ports_are_published_on_one_address_only(repository: Path) -> None:
    """On 127.0.0.1 unless somebody asks for another; a port that nobody chose is any free one."""
    bound = made(serving(repository, http_port=9000))["HostConfig"]["PortBindings"]

    assert bound["8000/tcp"] == [{"HostIp": "127.0.0.1", "HostPort": "9000"}]
    assert [bound[f"{port}/tcp"][0]["HostIp"] for port in (8001, 8002)] == ["127.0.0.1"] * 2
    assert not bound["8001/tcp"][0]["HostPort"]

    elsewhere = made(serving(repository, publish=ELSEWHERE))["HostConfig"]["PortBindings"]
    assert {one[0]["HostIp"] for one in elsewhere.values()} == {ELSEWHERE}


def test_limits_are_what_was_asked(repository: Path) -> None:
    """Memory without swap, which would show up as latency; cores in Docker's billionths."""
    limits = made(serving(repository, memory_bytes=4 * GIB, cpus=1.5, shm_bytes=GIB))["HostConfig"]

    assert (limits["Memory"], limits["MemorySwap"]) == (4 * GIB, 4 * GIB)
    assert limits["NanoCpus"] == 1_500_000_000
    assert limits["ShmSize"] == GIB


def test_without_limits_there_are_none_but_on_shared_memory(repository: Path) -> None:
    """Docker's own default for that, 64 MiB, is too little for any stub."""
    limits = made(serving(repository))["HostConfig"]

    assert not limits.get("Memory")
    assert not limits.get("NanoCpus")
    assert limits["ShmSize"] > 64 << 20


@pytest.mark.parametrize("shm_bytes", [None, 2 * GIB])
def test_shared_memory_is_within_the_memory(shm_bytes: int | None, repository: Path) -> None:
    """More of it than of memory could not be used: it counts as memory."""
    limits = made(serving(repository, memory_bytes=128 << 20, shm_bytes=shm_bytes))["HostConfig"]

    assert limits["ShmSize"] == 128 << 20


@pytest.mark.parametrize(
    ("given", "count", "ids"),
    [("all", -1, []), ("2", 2, []), ("device=0", 0, ["0"]), ("device=0,GPU-1a2b", 0, ["0", "GPU-1a2b"])],
)
def test_gpus_are_asked_for_as_the_docker_command_does(
    given: str, count: int, ids: list[str], repository: Path
) -> None:
    """All, any so many, or certain ones; the server then looks for them."""
    body = made(serving(repository, gpus=given))

    (request,) = body["HostConfig"]["DeviceRequests"]
    assert (request["Count"], request["DeviceIDs"] or []) == (count, ids)
    assert request["Capabilities"] == [["gpu"]]
    assert "--allow-gpu-metrics=false" not in body["Cmd"]


def test_without_gpus_none_is_asked_for(repository: Path) -> None:
    """A daemon without the NVIDIA toolkit would refuse the container."""
    body = made(serving(repository))

    assert not body["HostConfig"].get("DeviceRequests")
    assert "--allow-gpu-metrics=false" in body["Cmd"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda _: {"gpus": "x"}, "neither how many GPUs nor which"),
        (lambda _: {"publish": "127.0.0.1"}, "is not reached from here"),
        (lambda _: {"publish": "localhost"}, "is not reached from here"),
    ],
)
def test_an_option_that_cannot_be_is_told_before_an_image_is_fetched(
    change: Callable[[Path], dict[str, Any]], said: str, repository: Path
) -> None:
    """A mistake on the command line costs no download; a remote daemon's 127.0.0.1 is not ours."""
    fake = FakeDaemon(registry={IMAGE: {"Id": "sha256:0123", "Architecture": "amd64"}})
    wanted = serving(repository, **{"publish": ELSEWHERE, **change(repository)})

    with (
        fake.connected() as one,
        pytest.raises(UsageError, match=said) as caught,
        started(one, wanted, Signals(), lambda _: None),
    ):
        pass

    assert caught.value.fix
    assert (fake.images, fake.containers) == ({}, {})


@pytest.mark.parametrize(
    ("address", "options", "why", "fix"),
    [
        (LOCAL, {"copies": True}, "--copy asks for that", "leave out --poll or --copy"),
        (
            REMOTE,
            {"publish": ELSEWHERE},
            "the daemon does not see the files of this machine",
            "leave out --poll",
        ),
        (LOCAL, {}, "a link in a model leads out of the repository", "leave out --poll"),
    ],
)
def test_a_copy_is_not_polled(
    address: str, options: dict[str, Any], why: str, fix: str, repository: Path, tmp_path: Path
) -> None:
    """A new version would never be seen, whoever decided that the models are copied; before an image is fetched."""
    fake = FakeDaemon(registry={IMAGE: {"Id": "sha256:0123", "Architecture": "amd64"}})
    if why.startswith("a link"):
        (repository / "m" / "2").symlink_to(tmp_path)
    wanted = replace(serving(repository, **options), control="poll")

    with (
        fake.connected(address) as one,
        pytest.raises(UsageError, match=f"--poll sees no change of a copy, .*: {why}") as caught,
        started(one, wanted, Signals(), lambda _: None),
    ):
        pass

    assert caught.value.fix == fix
    assert (fake.images, fake.containers) == ({}, {})


def test_a_refusal_is_explained(repository: Path) -> None:
    """The daemon's answer becomes the failure that is known by its words, of its own class where there is one."""
    create_it = ("POST", "/containers/create")
    no_space = FakeDaemon(refusals={create_it: (500, "mkdir /var/lib/docker: no space left on device")})
    no_right = FakeDaemon(refusals={create_it: (500, "error setting rlimit type 8: operation not permitted")})

    with pytest.raises(ServerError, match="the Docker daemon has no space left: mkdir"):
        made(serving(repository), daemon=no_space)
    with pytest.raises(UlimitsRefused):
        made(serving(repository), daemon=no_right)


def test_models_are_copied_where_a_mount_would_not_do(repository: Path, tmp_path: Path) -> None:
    """A remote daemon, a link that leads out of the repository, or a wish; a link within it is no reason."""

    def copied(address: str = LOCAL, names: tuple[str, ...] = ("m",), **options: Any) -> bool:
        with FakeDaemon().connected(address) as one:
            return bool(why_copied(one, serving(repository, **options), names))

    assert not copied()
    assert copied(copies=True)
    assert copied(REMOTE)
    (repository / "m" / "2").symlink_to("1")
    assert not copied()
    (repository / "n").mkdir()
    (repository / "n" / "1").symlink_to(tmp_path)
    assert copied(names=("n",))
    assert not copied(names=("m",))
