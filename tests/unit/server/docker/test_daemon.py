"""Where a daemon is decides whether it sees our files, and at which address its ports are reached."""

import pytest

from tests.fakes.docker_daemon import FakeDaemon


@pytest.mark.parametrize(
    ("address", "sees_our_files", "host"),
    [
        ("unix:///var/run/docker.sock", True, "127.0.0.1"),
        ("npipe:////./pipe/docker_engine", True, "127.0.0.1"),
        ("tcp://127.0.0.1:2375", False, "127.0.0.1"),
        ("tcp://localhost:2375", False, "127.0.0.1"),
        ("tcp://[::1]:2375", False, "127.0.0.1"),
        ("tcp://docker.example:2375", False, "docker.example"),
        ("https://docker.example:2376", False, "docker.example"),
        ("ssh://me@docker.example:22", False, "docker.example"),
    ],
)
def test_a_daemon_behind_a_port_may_be_on_any_machine(address: str, sees_our_files: bool, host: str) -> None:
    """Only a socket that is a file here tells that its machine is this one, and even 127.0.0.1 may be a tunnel."""
    with FakeDaemon().connected(address) as one:
        assert (one.sees_our_files, one.host) == (sees_our_files, host)
