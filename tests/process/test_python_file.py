"""A version folder of a Python function, opened in a process of its own."""

import gc
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from builder.errors import ExportError
from builder.export import export
from builder.runtimes import open_file
from builder.spec.loaded import Loaded
from builder.spec.project import Backend
from builder.spec.releases import release
from tests.live.waiting import PATIENCE_S, within
from tests.unit.export.test_to_python import function

FEED = {"text": np.array([b"abc"], dtype=object)}
ANSWERS = "import numpy as np\ndef length(text): return np.full(2, len(text))\n"


def version(folder: Path, source: str, **files: str) -> tuple[Loaded, Path]:
    loaded = function(folder / "project")
    (folder / "project" / "steps.py").write_text(source)
    for name, text in files.items():
        (folder / "project" / f"{name}.py").write_text(text)
    return loaded, export(loaded, Backend.PYTHON, into=folder / "v", release=release("24.10")).path


def opened(folder: Path, source: str, **files: str):
    loaded, path = version(folder, source, **files)
    return open_file(Backend.PYTHON, path, loaded.signature, threads=1)


def children() -> set[int]:
    tasks = Path(f"/proc/{os.getpid()}/task").glob("*/children")
    return {int(pid) for task in tasks for pid in task.read_text().split()}


def test_it_answers_as_the_function_does(tmp_path: Path) -> None:
    """Strings go in and numbers come out of another process."""
    assert opened(tmp_path, ANSWERS)(FEED)["n"].tolist() == [[3, 3]]


def test_what_it_prints_does_not_disturb_its_answers(tmp_path: Path) -> None:
    """A function that writes to stdout answers all the same."""
    source = ANSWERS.replace("return", "print('x' * 100_000); return")

    assert opened(tmp_path, source)(FEED)["n"].tolist() == [[3, 3]]


def test_a_module_that_was_not_copied_is_missed(tmp_path: Path) -> None:
    """An import by a name in a text is not found in the sources; the error names it and the way out."""
    source = "import importlib\nimportlib.import_module('aside')\n" + ANSWERS

    with pytest.raises(ExportError, match="No module named 'aside'") as caught:
        opened(tmp_path, source, aside="")

    assert "import `aside` by a plain `import` statement" in caught.value.fix


def test_a_data_file_that_was_not_copied_is_missed(tmp_path: Path) -> None:
    """A file beside the source is none beside its copy; the error says where to name it."""
    source = "from pathlib import Path\n(Path(__file__).parent / 'words.txt').read_text()\n" + ANSWERS

    with pytest.raises(ExportError, match="FileNotFoundError") as caught:
        opened(tmp_path, source)

    assert "`python: {files: [...]}`" in caught.value.fix


def test_a_failure_is_told_as_the_server_would(tmp_path: Path) -> None:
    """The row, the input and the exception come through."""
    run = opened(tmp_path, "def length(text): raise ValueError('no')\n")

    with pytest.raises(ExportError, match=r"fails at row 0 \(text = 3 bytes\): ValueError: no"):
        run(FEED)


def test_a_process_that_ends_is_told_with_its_status(tmp_path: Path) -> None:
    """A crash in the function is an error of the build, and nothing waits for an answer."""
    run = opened(tmp_path, "import os\ndef length(text): os._exit(7)\n")

    with pytest.raises(ExportError, match="ended its process with exit status 7"):
        run(FEED)


def test_its_process_ends_with_the_runner(tmp_path: Path) -> None:
    """Nothing is left running when nobody asks any more."""
    before = children()
    run = opened(tmp_path, ANSWERS)
    run(FEED)
    assert children() - before

    del run
    gc.collect()
    assert not children() - before


PARENT = """\
import sys
from pathlib import Path
import numpy as np
from builder.runtimes.python_file import open_python
open_python(Path(sys.argv[1]))({"text": np.array([b"abc"], dtype=object)})
"""
SLEEPS = """\
import os, sys, time
def length(text):
    open(sys.argv[1] + "/pid", "w").write(str(os.getpid()))
    time.sleep(600)
"""


def test_its_process_ends_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    """A function that is still at work does not outlive whoever asked."""
    _, path = version(tmp_path, SLEEPS)
    parent = subprocess.Popen([sys.executable, "-c", PARENT, str(path)])
    pid = path.parent / "pid"
    assert within(PATIENCE_S, lambda: pid.exists() and pid.read_text())
    child = Path("/proc") / pid.read_text()
    assert child.exists()

    parent.kill()
    parent.wait()
    assert within(PATIENCE_S, lambda: not (child / "exe").exists())
