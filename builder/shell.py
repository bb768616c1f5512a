"""The one door to other programs."""

import logging
import shlex
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from builder.errors import CommandFailed, MissingTool

_log = logging.getLogger("trb.shell")
_TAIL_LINES = 15


def run(
    command: Sequence[str | Path],
    *,
    timeout_s: float,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    check: bool = True,
) -> subprocess.CompletedProcess[str]:
    """Run `command` to its end and return it with both streams as text.

    A caller that foresees a failure says what it means (a fetch that fails is a MissingTool).

    Args:
        command: the program and its arguments; no shell is involved.
        timeout_s: seconds after which it is killed.
        cwd: the folder it runs in.
        env: its whole environment; ours when None.
        check: raise on a non-zero exit status.

    Raises:
        MissingTool: the program does not exist.
        CommandFailed: it took too long, or failed and `check` is set.
    """
    words = [str(word) for word in command]
    _log.info("$ %s", shlex.join(words))
    try:
        done = subprocess.run(
            words,
            timeout=timeout_s,
            cwd=cwd,
            env=env,
            check=False,
            text=True,
            errors="replace",
            capture_output=True,
        )
    except FileNotFoundError:
        raise MissingTool(
            f"{words[0]} is not installed", fix=f"install {words[0]}, or put it on PATH"
        ) from None
    except subprocess.TimeoutExpired:
        raise CommandFailed(f"no end after {timeout_s:.0f} s: {shlex.join(words)}") from None
    if check and done.returncode != 0:
        raise CommandFailed(
            f"exit status {done.returncode}: {shlex.join(words)}\n{_tail(done.stdout)}{_tail(done.stderr)}".rstrip()
        )
    return done


def _tail(text: str) -> str:
    lines = text.rstrip().splitlines()[-_TAIL_LINES:]
    return "".join(f"  {line}\n" for line in lines)
