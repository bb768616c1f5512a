"""`trb serve` in the foreground, on the embedded server."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from builder.server.embedded.process import is_alive
from tests.live.test_embedded import write_model
from tests.live.waiting import PATIENCE_S, told


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_whoever_reads_that_it_serves_may_end_it_at_once(number: int, tmp_path: Path) -> None:
    """Either signal ends it well, however soon it comes, and the server with it."""
    write_model(tmp_path / "models", "double")
    command = [sys.executable, "-m", "builder", "serve", "--repository", "models", "--json"]
    with subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        served = told(process)
        process.send_signal(number)
        _, said = process.communicate(timeout=PATIENCE_S)

    assert process.returncode == 0, said
    assert not is_alive(served["pid"])
