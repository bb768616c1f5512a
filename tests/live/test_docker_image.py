"""Our CPU image, built for real and started as anybody would, without `trb`."""

import json
import tarfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from http.client import HTTPConnection, HTTPException
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import uuid4

import docker
import numpy as np
import onnx
import pytest
import torch
from tritonclient import http
from tritonclient.utils import InferenceServerException

from builder.server.docker.daemon import connected
from builder.server.image.plan import DEFAULT_BASE
from builder.spec.releases import release
from tests.live.docker_image import Trb
from tests.live.test_standins import infer

pytestmark = [pytest.mark.live, pytest.mark.slow, pytest.mark.timeout(1800)]
READY_TIMEOUT_S = 180
STOP_TIMEOUT_S = 60
EXPLICIT = ("--model-control-mode", "explicit")
SIZE_BYTES = 1_300_000_000
X = np.linspace(-2, 2, 6, dtype=np.float32).reshape(2, 3)
SLEEPY = """import pathlib
import time

import triton_python_backend_utils as pb_utils


class TritonPythonModel:
    def execute(self, requests):
        found = []
        for request in requests:
            seconds = pb_utils.get_input_tensor_by_name(request, "seconds").as_numpy()
            pathlib.Path("/tmp/asleep").touch()
            time.sleep(float(seconds[0]))
            found.append(pb_utils.InferenceResponse([pb_utils.Tensor("slept", seconds * 10)]))
        return found
"""
CONFIG = """backend: "{backend}"
max_batch_size: {batch}
input {{ name: "{input}" data_type: TYPE_FP32 dims: [{dims}] }}
output {{ name: "{output}" data_type: TYPE_FP32 dims: [{dims}] }}
"""


@pytest.fixture(scope="module")
def client() -> Iterator[docker.DockerClient]:
    with connected() as daemon:
        yield daemon.client


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with a model of each backend; the Python one takes as long as its request says."""
    root = tmp_path_factory.mktemp("models")
    root.chmod(0o755)  # the server is another user
    onnx.save(squares(), version(root, "squares", "onnxruntime", 4, "x", "y", 3) / "model.onnx")
    doubles = torch.jit.trace(torch.nn.Threshold(0.0, -1.0), torch.from_numpy(X))
    doubles.save(str(version(root, "cut", "pytorch", 4, "x", "y__0", 3) / "model.pt"))
    (version(root, "sleepy", "python", 0, "seconds", "slept", 1) / "model.py").write_text(SLEEPY)
    return root


def version(root: Path, name: str, backend: str, batch: int, given: str, output: str, dims: int) -> Path:
    """The version folder of a new model with its config."""
    folder = root / name / "1"
    folder.mkdir(parents=True)
    text = CONFIG.format(backend=backend, batch=batch, input=given, output=output, dims=dims)
    (root / name / "config.pbtxt").write_text(text)
    return folder


def squares() -> onnx.ModelProto:
    axes = ["rows", 3]
    tensors = [onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, axes) for name in "xy"]
    graph = onnx.helper.make_graph(
        [onnx.helper.make_node("Mul", ["x", "x"], ["y"])], "g", tensors[:1], tensors[1:]
    )
    return onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=8)


@contextmanager
def started(
    client: docker.DockerClient, image: str, models: Path, *command: str, port: int = 8000, **options: Any
) -> Iterator[tuple[Any, http.InferenceServerClient]]:
    """A container that is ready, and a client of it."""
    container = client.containers.run(
        image,
        list(command) or None,
        detach=True,
        labels={"trb-test": "image"},
        ports={f"{port}/tcp": ("127.0.0.1", None)},
        volumes={str(models): {"bind": "/models", "mode": "ro"}},
        **options,
    )
    try:
        with ready(container, port) as asked:
            yield container, asked
    finally:
        container.remove(force=True, v=True)


def ready(container: Any, port: int) -> http.InferenceServerClient:
    give_up = time.monotonic() + READY_TIMEOUT_S
    while time.monotonic() < give_up:
        container.reload()
        assert container.status in {"created", "running"}, container.logs().decode()
        if container.ports.get(f"{port}/tcp") and says_ready(port_of(container, port)):
            return http.InferenceServerClient(
                f"127.0.0.1:{port_of(container, port)}", network_timeout=READY_TIMEOUT_S
            )
        time.sleep(0.2)
    raise AssertionError(f"not ready after {READY_TIMEOUT_S} s:\n{container.logs().decode()}")


def says_ready(port: int) -> bool:
    connection = HTTPConnection("127.0.0.1", port, timeout=STOP_TIMEOUT_S)
    try:
        connection.request("GET", "/v2/health/ready")
        return connection.getresponse().status == 200
    except (OSError, HTTPException):  # Docker's proxy takes the connection before the server listens
        return False
    finally:
        connection.close()


def ran(container: Any, *command: str, user: str = "") -> str:
    done = container.exec_run(list(command), user=user)
    assert done.exit_code == 0, done.output.decode()
    return str(done.output.decode())


@pytest.fixture(scope="module")
def served(
    client: docker.DockerClient, cpu_image: str, models: Path
) -> Iterator[tuple[Any, http.InferenceServerClient]]:
    """The image on its own command, with as few rights as a container can have."""
    locked = {
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges"],
        "read_only": True,
        "tmpfs": {"/tmp": ""},
    }
    with started(client, cpu_image, models, **locked) as found:
        yield found


def test_each_backend_gives_the_numbers_of_its_runtime(
    served: tuple[Any, http.InferenceServerClient],
) -> None:
    """An ONNX, a TorchScript and a Python model answer as they would here, with nothing to write to but /tmp."""
    _, asked = served

    np.testing.assert_array_equal(infer(asked, "squares", {"x": X})["y"], X * X)
    np.testing.assert_array_equal(infer(asked, "cut", {"x": X})["y__0"], np.where(X > 0, X, np.float32(-1)))
    seconds = np.array([0.25], dtype=np.float32)
    np.testing.assert_array_equal(infer(asked, "sleepy", {"seconds": seconds})["slept"], seconds * 10)


def test_what_the_labels_say_is_what_runs(
    served: tuple[Any, http.InferenceServerClient], client: docker.DockerClient, cpu_image: str
) -> None:
    """Release, runtimes and packages of the labels are those of the processes that answer."""
    container, _ = served
    labels = client.images.get(cpu_image).labels
    runtimes = json.loads(labels["trb.runtimes"])

    assert labels["trb.triton"] == "24.10"
    assert runtimes["onnxruntime"]["onnxruntime"] == release("24.10").onnxruntime
    for backend in ("onnxruntime", "pytorch", "python"):
        assert json.loads(ran(container, "cat", f"/dev/shm/trb-runtimes/{backend}.json")) == runtimes[backend]
    listed = "import importlib.metadata as m, json; print(json.dumps([[d.name, d.version] for d in m.distributions()]))"
    there = json.loads(ran(container, "python/bin/python3", "-c", listed))
    assert {name.lower().replace("_", "-"): version for name, version in there} == json.loads(
        labels["trb.packages"]
    )


def test_nobody_in_it_is_root(served: tuple[Any, http.InferenceServerClient]) -> None:
    """The server and its stubs are user 1000, below an init that is process 1."""
    container, _ = served
    found = container.top(ps_args="-eo pid,uid,args")["Processes"]

    # Docker comes in as root, and then begins a health check as the user.
    assert {uid for _, uid, command in found if "runc init" not in command} == {"1000"}
    assert ran(container, "cat", "/proc/1/comm").strip() == "tini"


def test_docker_says_when_it_is_healthy(served: tuple[Any, http.InferenceServerClient]) -> None:
    """The health check follows the server's readiness."""
    container, _ = served
    until(lambda: health(container) != "starting")

    assert health(container) == "healthy", container.attrs["State"]["Health"]


def test_it_is_small_and_has_nothing_that_only_a_build_needs(
    served: tuple[Any, http.InferenceServerClient], client: docker.DockerClient, cpu_image: str
) -> None:
    """Under the size that the documentation states; no compiler, pip, tests or headers, and torch without CUDA."""
    container, _ = served

    assert client.images.get(cpu_image).attrs["Size"] < SIZE_BYTES
    for program in ("gcc", "cc", "pip", "pip3", "curl"):
        assert container.exec_run(["sh", "-c", f"command -v {program}"]).exit_code != 0, program
    found = ran(
        container, "find", "/opt/tritonserver", "-name", "tests", "-o", "-name", "*.h", "-o", "-name", "*.pyi"
    )
    assert found.split() == []
    names = ran(container, "find", "/opt/tritonserver", "-name", "*.so*").split()
    cuda = ("libcublas", "libcudnn", "libcufft", "libcusparse", "libnccl", "libtorch_cuda", "libnvrtc")
    assert not [name for name in names if any(one in name for one in cuda)]
    has_cuda = "import torch; print(torch.version.cuda, torch.cuda.is_available())"
    assert ran(container, "python/bin/python3", "-c", has_cuda).split() == ["None", "False"]


def test_all_of_torch_that_a_model_may_import_is_there(
    served: tuple[Any, http.InferenceServerClient],
) -> None:
    """What was dropped is missed by nothing: every public module that imports here imports there."""
    container, _ = served
    modules = (
        *(
            "torch.nn",
            "torch.fx",
            "torch.export",
            "torch.onnx",
            "torch.testing",
            "torch.utils.data",
            "torch.optim",
        ),
        *("torch.distributed", "torch._dynamo", "torch.quantization", "torch.sparse"),
        *(
            "numpy.testing",
            "numpy.random",
            "numpy.ma",
            "onnxruntime.tools",
            "sympy",
            "networkx",
            "jinja2",
            "fsspec",
        ),
    )

    ran(container, "python/bin/python3", "-B", "-c", f"import {', '.join(modules)}")


def test_a_stop_answers_what_is_in_flight(client: docker.DockerClient, cpu_image: str, models: Path) -> None:
    """`docker stop` drains: a request that came before gets its answer, and the server ends by itself with 0."""
    command = ("tritonserver", "--model-repository=/models", *EXPLICIT, "--load-model=sleepy")
    with started(client, cpu_image, models, *command) as (container, _), ThreadPoolExecutor() as threads:
        slept = threads.submit(sleep, port_of(container, 8000), 4.0)
        until(lambda: container.exec_run(["test", "-e", "/tmp/asleep"]).exit_code == 0)
        container.stop(timeout=STOP_TIMEOUT_S)
        container.reload()

        assert slept.result() == (200, [40.0])
        assert container.attrs["State"]["ExitCode"] == 0


def test_the_official_images_commands_work(client: docker.DockerClient, cpu_image: str, models: Path) -> None:
    """Another port, the long spelling and models by name: options are Triton's own, and the health check follows."""
    command = ("tritonserver", "--model-repository", "/models", "--http-port", "9000", *EXPLICIT)
    with started(client, cpu_image, models, *command, port=9000) as (container, asked):
        asked.load_model("squares")

        assert {row["name"]: row.get("state") for row in asked.get_model_repository_index()} == {
            "squares": "READY",
            "cut": None,
            "sleepy": None,
        }
        until(lambda: health(container) == "healthy")


def test_a_root_that_cannot_be_written_is_said_before_a_crash(
    client: docker.DockerClient, cpu_image: str, models: Path
) -> None:
    """The Python backend needs /tmp: without one the container ends with the option that gives it one."""
    container = client.containers.create(
        cpu_image, read_only=True, volumes={str(models): {"bind": "/models"}}
    )
    try:
        container.start()

        assert container.wait()["StatusCode"] == 1
        assert "--tmpfs /tmp" in container.logs().decode()
    finally:
        container.remove(force=True)


def test_the_same_inputs_are_not_built_again(trb: Trb, cpu_image: str, tmp_path: Path) -> None:
    """A second build finds the image, says so, and leaves its id as it is."""
    build = ("image", "build", "--tag", cpu_image, "--network", "host", "--json")

    first, second = (json.loads(trb(*build, cwd=tmp_path).stdout) for _ in range(2))

    assert second["is_new"] is False
    assert second["id"] == first["id"]


def test_a_smaller_image_has_a_package_that_was_asked_for(
    client: docker.DockerClient, trb: Trb, cpu_image: str, models: Path, tmp_path: Path
) -> None:
    """Without torch its backend is not there; a file of requirements is."""
    (tmp_path / "requirements.txt").write_text("# for pictures\npillow==12.3.0  # the last for Python 3.10\n")
    tag = "trb-test-triton:pillow"
    build = ("image", "build", "--tag", tag, "--network", "host", "--without", "torch", "--json")
    report = json.loads(trb(*build, "--requirements", "requirements.txt", cwd=tmp_path, timeout_s=900).stdout)
    try:
        assert report["packages"]["pillow"] == "12.3.0"
        assert "torch" not in report["packages"]
        command = ("tritonserver", "--model-repository=/models", *EXPLICIT, "--load-model=squares")
        with started(client, tag, models, *command) as (container, asked):
            np.testing.assert_array_equal(infer(asked, "squares", {"x": X})["y"], X * X)
            ran(container, "python/bin/python3", "-c", "from PIL import Image")
            with pytest.raises(InferenceServerException, match="pytorch"):
                asked.load_model("cut")
    finally:
        client.images.remove(tag)


def test_a_context_builds_with_docker_alone(trb: Trb, cpu_image: str, tmp_path: Path) -> None:
    """What --context writes is whole: a Dockerfile that names its base, the wheels, and no built image."""
    trb("image", "build", "--context", "made", cwd=tmp_path)

    made = tmp_path / "made"
    copied = [
        line.split()[1] for line in (made / "Dockerfile").read_text().splitlines() if line.startswith("COPY ")
    ]
    assert all((made / name).exists() for name in copied if not name.startswith("--from"))
    assert (
        "holds something already" in trb("image", "build", "--context", "made", cwd=tmp_path, expect=2).stderr
    )


NO_BUILD = {
    "a base that is nowhere": (("--base", "trb.invalid/none:1"), "there is no base image", "docker pull"),
    "a base without a shell": (("--base", "trb-test-empty:1"), "install Python", "is no Debian or Ubuntu"),
    "no network": (("--base", "trb-test-new:1", "--network", "none"), "Failed to fetch", "--network host"),
}


@pytest.mark.parametrize("case", NO_BUILD)
def test_a_build_that_cannot_be_says_why_and_what_to_do(
    case: str, client: docker.DockerClient, trb: Trb, cpu_image: str, tmp_path: Path
) -> None:
    """A failed build is a missing tool: its step, what it said, and the next thing to do."""
    options, what, fix = NO_BUILD[case]
    with empty_image(client, "trb-test-empty:1", tmp_path), new_image(client, "trb-test-new:1"):
        done = trb("image", "build", "--tag", "trb-test-triton:none", *options, cwd=tmp_path, expect=10)

    assert what in done.stderr
    assert fix in done.stderr.partition("fix:")[2]


@contextmanager
def empty_image(client: docker.DockerClient, tag: str, folder: Path) -> Iterator[None]:
    with tarfile.open(folder / "empty.tar", "w") as archive:
        archive.add(folder, arcname="empty", recursive=False)
    repository, _, version = tag.partition(":")
    client.api.import_image_from_file(str(folder / "empty.tar"), repository=repository, tag=version)
    try:
        yield
    finally:
        forget(client, tag)


@contextmanager
def new_image(client: docker.DockerClient, tag: str) -> Iterator[None]:
    """The base image under another id, from which nothing was built yet."""
    text = f'FROM {DEFAULT_BASE}\nLABEL new="{uuid4()}"\n'
    client.images.build(fileobj=BytesIO(text.encode()), tag=tag, rm=True)
    try:
        yield
    finally:
        forget(client, tag)


def forget(client: docker.DockerClient, name: str) -> None:
    """Remove an image and what a build that failed has left of itself on it."""
    identity = client.images.get(name).id
    for row in client.api.images(all=True):
        if row["ParentId"] == identity:
            forget(client, row["Id"])
    client.images.remove(name)


def port_of(container: Any, port: int) -> int:
    return int(container.ports[f"{port}/tcp"][0]["HostPort"])


def sleep(port: int, seconds: float) -> tuple[int, list[float]]:
    """What the sleepy model answers, asked with nothing but HTTP."""
    sent = {"inputs": [{"name": "seconds", "shape": [1], "datatype": "FP32", "data": [seconds]}]}
    with closing(HTTPConnection("127.0.0.1", port, timeout=STOP_TIMEOUT_S)) as connection:
        connection.request("POST", "/v2/models/sleepy/infer", json.dumps(sent))
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())["outputs"][0]["data"]


def health(container: Any) -> str:
    container.reload()
    return str(container.attrs["State"]["Health"]["Status"])


def until(holds: Callable[[], bool]) -> None:
    give_up = time.monotonic() + READY_TIMEOUT_S
    while not holds():
        assert time.monotonic() < give_up
        time.sleep(0.1)
