"""Run the Python function of a version folder, in a process that has only that folder's code."""

import contextlib
import os
import subprocess
import sys
import weakref
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final

from builder.errors import ExportError
from builder.runtimes import python_child
from builder.spec.loaded import Feed, Runner

_KEPT: Final = frozenset(
    ("HOME", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "OMP_NUM_THREADS", "PATH", "PYTHONHASHSEED", "TMPDIR", "TZ")
)
"""What the function finds in its environment: a variable that is only set here is missed here, not in production."""


def open_python(path: Path) -> Runner:
    """Open the model.py at `path` as Triton's Python backend would; its process ends with the runner, or with us.

    Raises:
        ExportError: it cannot be opened there: a module or a data file is not in the version folder.
    """
    process, channel = _started(path.parent)
    _opened(path, process, channel)

    def run(feed: Feed) -> dict[str, Any]:
        try:
            channel.send(dict(feed))
            kind, told = channel.recv()
        except (EOFError, OSError):
            raise ExportError(f"{path.name}: the function ended its process{_how(process)}") from None
        if kind == "failed":
            raise ExportError(told)
        answer: dict[str, Any] = told
        return answer

    weakref.finalize(run, _end, process, channel)
    return run


def _started(folder: Path) -> tuple["subprocess.Popen[bytes]", Connection]:
    ours, theirs = Pipe()
    env = {name: value for name, value in os.environ.items() if name in _KEPT}
    words = (
        *(sys.executable, "-P", "-B", python_child.__file__, str(folder.absolute())),
        str(theirs.fileno()),
    )
    process = subprocess.Popen(
        words,
        cwd=folder,
        env=env,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        pass_fds=(theirs.fileno(),),
    )
    theirs.close()
    return process, ours


def _opened(path: Path, process: "subprocess.Popen[bytes]", channel: Connection) -> None:
    try:
        kind, *told = channel.recv()
    except EOFError:
        raise ExportError(f"{path.name}: importing the function ended its process{_how(process)}") from None
    if kind != "refused":
        return
    _end(process, channel)
    error, text, module = told
    fix = "see that it needs nothing but what `requirements` and `files` of `python:` in trb.yaml name"
    if error == "ModuleNotFoundError" and module:
        fix = (
            f"import `{module}` by a plain `import` statement, so that it is found and copied; or, if it comes with a "
            "package, name that in `python: {requirements: [...]}`"
        )
    elif error == "FileNotFoundError":
        fix = "name the file in `python: {files: [...]}`, and make the source a class that takes the folder of them"
    raise ExportError(f"{path.name} does not open with only its version folder: {error}: {text}", fix=fix)


def _how(process: "subprocess.Popen[bytes]") -> str:
    status = process.wait()
    return f" with signal {-status}" if status < 0 else f" with exit status {status}"


def _end(process: "subprocess.Popen[bytes]", channel: Connection) -> None:
    channel.close()
    process.kill()
    with contextlib.suppress(OSError):
        assert process.stdin is not None
        process.stdin.close()
    process.wait()
