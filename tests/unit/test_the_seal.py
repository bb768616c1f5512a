"""The seal around unit tests holds."""

import os
import socket
import subprocess
import sys

import pytest


def test_a_unit_test_cannot_start_a_process() -> None:
    """Starting a program fails the unit test that tries, even inside `except Exception`."""
    with pytest.raises(pytest.fail.Exception, match="may not start a process"):
        subprocess.run([sys.executable, "-c", ""], check=False)


def test_a_unit_test_cannot_fork() -> None:
    """Forking fails the unit test that tries."""
    with pytest.raises(pytest.fail.Exception, match="may not start a process"):
        os.fork()


def test_a_unit_test_cannot_open_a_socket() -> None:
    """Opening a socket fails the unit test that tries."""
    with pytest.raises(pytest.fail.Exception, match="may not open a socket"):
        socket.socket()
