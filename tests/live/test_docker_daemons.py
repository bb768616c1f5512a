"""Other ways to a daemon: over TCP, with TLS, by a context, on a filesystem of its own; and a pull."""

import json
import os
import shutil
import ssl
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import docker
import pytest

from builder.server.docker.daemon import Daemon, connected
from tests.live.conftest import Trb
from tests.live.docker_door import containers_of, daemon_answers, tcp_way, unix_way
from tests.live.page import free_ports
from tests.live.test_docker_refusals import image_for, write_model
from tests.live.waiting import PATIENCE_S, within

pytestmark = [pytest.mark.live, pytest.mark.slow]

MACHINES = {"x86_64": "amd64", "aarch64": "arm64"}
EVERY_SIGNED = """
set -e
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=ours -keyout ca-key.pem -out ca.pem
for name in server client; do
  openssl req -newkey rsa:2048 -nodes -subj /CN=$name -keyout $name-key.pem -out $name.csr
  printf 'subjectAltName=IP:127.0.0.1\\n' > $name.ext
  openssl x509 -req -days 2 -in $name.csr -CA ca.pem -CAkey ca-key.pem -CAcreateserial -extfile $name.ext \\
    -out $name-cert.pem
done
cp client-cert.pem cert.pem
cp client-key.pem key.pem
"""


@pytest.fixture
def real_socket(cpu_image: str) -> str:
    """Return the path of the socket of the daemon that has our image."""
    with connected() as daemon:
        if not daemon.sees_our_files:
            pytest.skip("the Docker daemon has no socket on this machine")
        return daemon.address.removeprefix("unix://")


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Return a repository of one Python model."""
    return write_model(tmp_path / "repository", "passes", "pass")


@pytest.fixture
def certificates(tmp_path: Path) -> Path:
    """Return a folder as DOCKER_CERT_PATH wants it, with a server's certificate beside."""
    folder = tmp_path / "certificates"
    folder.mkdir()
    if shutil.which("openssl") is None:
        pytest.skip("no openssl to make certificates with")
    subprocess.run(
        ["sh", "-c", EVERY_SIGNED], cwd=folder, check=True, capture_output=True, timeout=PATIENCE_S
    )
    return folder


def serves(trb: Trb, repository: Path, image: str, *options: str) -> dict[str, object]:
    """Serve `repository` in a container, see that its model is ready, and end it; return the container's facts."""
    words = ("serve", "--server", "docker", "--image", image, "--repository", repository)
    served = json.loads(trb(*words, *options, "--detach", "--json", cwd=repository.parent).stdout)
    try:
        with connected() as daemon:
            facts: dict[str, object] = daemon.client.containers.get(served["container"]).attrs
        ready = f"http://{served['http']}/v2/models/passes/ready"
        with urllib.request.urlopen(ready, timeout=PATIENCE_S) as answer:
            assert answer.status == 200
    finally:
        trb("serve", "--server", "docker", "--stop", "--repository", repository, cwd=repository.parent)
    assert containers_of(repository) == []
    return facts


def test_the_repository_is_mounted_where_it_can_only_be_read(
    real_socket: str, cpu_image: str, repository: Path, trb: Trb
) -> None:
    """Ports are on 127.0.0.1 alone, and shared memory is more than Docker's 64 MiB."""
    facts = serves(trb, repository, cpu_image)

    (mount,) = facts["Mounts"]  # type: ignore[misc]
    assert (mount["Source"], mount["Destination"], mount["RW"]) == (str(repository), "/models", False)
    published = facts["NetworkSettings"]["Ports"].values()  # type: ignore[index]
    assert {bound["HostIp"] for ports in published for bound in ports} == {"127.0.0.1"}
    assert facts["HostConfig"]["ShmSize"] > 64 << 20  # type: ignore[index]


def test_models_are_copied_to_a_daemon_that_is_not_on_this_filesystem(
    real_socket: str, cpu_image: str, repository: Path, trb: Trb, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Over TCP nothing is mounted, and the model is served all the same."""
    way, port = tcp_way(real_socket)
    monkeypatch.setenv("DOCKER_HOST", f"tcp://127.0.0.1:{port}")
    try:
        facts = serves(trb, repository, cpu_image)
    finally:
        way.close()

    assert facts["Mounts"] == []


def test_a_copy_can_be_asked_for(real_socket: str, cpu_image: str, repository: Path, trb: Trb) -> None:
    """`--copy` needs no mount where one would do."""
    assert serves(trb, repository, cpu_image, "--copy")["Mounts"] == []


def test_a_daemon_with_tls_is_used_as_docker_does(
    real_socket: str,
    cpu_image: str,
    certificates: Path,
    repository: Path,
    trb: Trb,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With the certificates of DOCKER_CERT_PATH it serves; with those of somebody else the exit code is 10."""
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(certificates / "ca.pem"))
    tls.verify_mode = ssl.CERT_REQUIRED
    tls.load_cert_chain(certificates / "server-cert.pem", certificates / "server-key.pem")
    way, port = tcp_way(real_socket, tls)
    monkeypatch.setenv("DOCKER_HOST", f"tcp://127.0.0.1:{port}")
    monkeypatch.setenv("DOCKER_TLS_VERIFY", "1")
    monkeypatch.setenv("DOCKER_CERT_PATH", str(certificates))
    try:
        serves(trb, repository, cpu_image)
        shutil.copy(certificates / "server-cert.pem", certificates / "ca.pem")
        words = ("serve", "--server", "docker", "--image", cpu_image, "--repository", repository)
        said = trb(*words, cwd=repository.parent, expect=10).stderr
    finally:
        way.close()

    assert "no TLS with the Docker daemon" in said
    assert "DOCKER_CERT_PATH" in said


def test_the_current_context_is_followed(
    real_socket: str,
    cpu_image: str,
    repository: Path,
    tmp_path: Path,
    trb: Trb,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A context made by `docker context create` leads to its daemon."""
    if shutil.which("docker") is None:
        pytest.skip("no docker command to make a context with")
    way = unix_way(tmp_path / "d.sock", real_socket)
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "config"))
    there = f"host=unix://{tmp_path}/d.sock"
    try:
        for words in (("create", "there", "--docker", there), ("use", "there")):
            command = ["docker", "context", *words]
            subprocess.run(command, check=True, capture_output=True, timeout=PATIENCE_S)
        with connected() as daemon:
            address = daemon.address
        serves(trb, repository, cpu_image)
    finally:
        way.close()

    assert address == f"unix://{tmp_path}/d.sock"


@pytest.fixture
def elsewhere(cpu_image: str, tmp_path: Path, repository: Path) -> Iterator[Daemon]:
    """Start a daemon that has another filesystem where our repositories lie."""
    if os.geteuid() != 0 or not shutil.which("dockerd") or not shutil.which("unshare"):
        pytest.skip("a Docker daemon of one's own needs root, dockerd and unshare")
    folder = Path(subprocess.check_output(["mktemp", "-d", "/tmp/trb-dockerd.XXXX"], text=True).strip())
    hidden = repository.parent
    options = f"--data-root {folder}/data --exec-root {folder}/exec --pidfile {folder}/pid --bridge none"
    inside = (
        f"mount -t tmpfs none {hidden} && exec dockerd -H unix://{folder}/d.sock {options} --iptables=false"
    )
    with (folder / "log").open("w") as log:
        command = ["unshare", "--mount", "--net", "--propagation", "private", "sh", "-c", inside]
        process = subprocess.Popen(command, stdout=log, stderr=log)
    client = None
    try:
        assert within(PATIENCE_S, lambda: daemon_answers(folder / "d.sock") or process.poll() is not None)
        if process.poll() is not None:
            pytest.skip(f"no second Docker daemon starts here: {(folder / 'log').read_text()[-300:]}")
        client = docker.DockerClient(base_url=f"unix://{folder}/d.sock")
        yield Daemon(client, f"unix://{folder}/d.sock")
    finally:
        if client is not None:
            client.close()
        process.terminate()
        process.wait()
        shutil.rmtree(folder, ignore_errors=True)


def test_a_repository_that_the_daemon_does_not_see_is_not_served_empty(
    elsewhere: Daemon, repository: Path, trb: Trb, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The daemon has nothing at that path: the error says so and offers to copy."""
    elsewhere.client.images.load(image_for(machine(elsewhere), "trb-test-scratch:1"))
    monkeypatch.setenv("DOCKER_HOST", elsewhere.address)
    words = ("serve", "--server", "docker", "--image", "trb-test-scratch:1", "--repository", repository)

    said = trb(*words, cwd="/", expect=6).stderr

    assert "does not see the repository" in said
    assert "--copy" in said
    assert elsewhere.client.containers.list(all=True) == []


def test_an_image_is_pulled_with_a_bar(real_socket: str, repository: Path, tmp_path: Path, trb: Trb) -> None:
    """What the daemon does not have comes from its registry, and the way there is told in megabytes."""
    if shutil.which("docker-registry") is None:
        pytest.skip("no docker-registry to pull from")
    config = tmp_path / "registry.yml"
    (port,) = free_ports(1)
    config.write_text(
        f"version: 0.1\nstorage: {{filesystem: {{rootdirectory: {tmp_path}/store}}}}\n"
        f"http: {{addr: '127.0.0.1:{port}'}}\n"
    )
    process = subprocess.Popen(
        ["docker-registry", "serve", config], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    name = f"127.0.0.1:{port}/trb-test-pulled:1"
    try:
        with connected() as daemon:
            client = daemon.client
            client.images.load(image_for(machine(daemon), name, {"weights": os.urandom(8 << 20)}))
            assert within(PATIENCE_S, lambda: "errorDetail" not in client.api.push(name))
            client.images.remove(name)
            words = ("serve", "--server", "docker", "--image", name, "--repository", repository)
            said = trb(*words, cwd=tmp_path, expect=6).stderr
            client.images.remove(name)
    finally:
        process.terminate()
        process.wait()

    assert f"pulling {name}: " in said
    assert "█ 100 % of 8 MB" in said
    assert "finds no `tritonserver` in the image" in said


def machine(daemon: Daemon) -> str:
    """Return the daemon's architecture as images name it."""
    return MACHINES[daemon.client.info()["Architecture"]]
