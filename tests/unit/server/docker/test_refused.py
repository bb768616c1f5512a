"""What a daemon says when it makes or starts no container, and what to do about it."""

import pytest

from builder.errors import ServerError
from builder.server.docker.refused import UlimitsRefused, refusal

IMAGE = "nvcr.io/nvidia/tritonserver:24.10-py3"
RUNC = "failed to create shim task: OCI runtime create failed: runc create failed: "
PORTS = "driver failed programming external connectivity on endpoint trb-1 (23): "
PROXY = f"{PORTS}Error starting userland proxy: listen tcp4 "


@pytest.mark.parametrize(
    ("said", "meaning", "fix"),
    [
        (
            'invalid mount config for type "bind": bind source path does not exist: /home/me/model_repository',
            "does not see the repository",
            "--copy",
        ),
        (
            'could not select device driver "" with capabilities: [[gpu]]',
            "has no GPU to give",
            "NVIDIA Container Toolkit",
        ),
        (
            f'{RUNC}exec: "tritonserver": executable file not found in $PATH: unknown',
            "finds no `tritonserver` in the image",
            "--image",
        ),
        (
            f"{PORTS}Bind for 127.0.0.1:8000 failed: port is already allocated",
            "is in use",
            "choose another port",
        ),
        (f"{PROXY}127.0.0.1:8000: bind: address already in use", "is in use", "choose another port"),
        (f"{PROXY}10.1.2.3:0: bind: cannot assign requested address", "cannot publish there", "--publish"),
        ("Minimum memory limit allowed is 6MB", "so little memory", "raise --memory"),
        (
            "Range of CPUs is from 0.01 to 2.00, as there are only 2 CPUs available",
            "not that many cores",
            "--cpus",
        ),
        (
            "error creating overlay mount to /var/lib/docker/overlay2/1/merged: no space left on device",
            "no space left",
            "docker system df",
        ),
    ],
)
def test_what_is_known_is_explained(said: str, meaning: str, fix: str) -> None:
    """The meaning comes before the daemon's words, which stay whole, and the fix is one for this very case."""
    error = refusal(said, IMAGE)

    assert meaning in error.what
    assert error.what.endswith(said)
    assert fix in error.fix
    assert (error.exit_code, type(error)) == (6, ServerError)


@pytest.mark.parametrize(
    "said",
    [
        f"{RUNC}error setting rlimits for ready process: error setting rlimit type 8: operation not permitted",
        "process_linux.go:508: setting rlimits caused: error setting rlimit type 8: operation not permitted",
    ],
)
def test_a_limit_that_may_not_be_raised_is_told_from_the_rest(said: str) -> None:
    """A rootless daemon's refusal has a class of its own: the container is made again without."""
    error = refusal(said, IMAGE)

    assert isinstance(error, UlimitsRefused)
    assert said in error.what
    assert error.exit_code == 6


def test_what_nobody_knows_is_quoted_with_the_image() -> None:
    """Of other words the daemon's own are shown, with a command that tells ours from the machine's fault."""
    error = refusal("something new", IMAGE)

    assert error.what == f"the Docker daemon did not start a container of {IMAGE}: something new"
    assert f"docker run --rm {IMAGE}" in error.fix
    assert error.exit_code == 6
