"""`trb demo`: the whole way on a real, small model."""

import shutil
import sys
from dataclasses import replace
from pathlib import Path
from typing import Final

from builder import readspec
from builder.assets import asset
from builder.errors import UsageError
from builder.flow.build import build
from builder.flow.check import check_on
from builder.flow.door import Door, Step
from builder.flow.live import targets
from builder.flow.perf import PerfRequest, perf_on
from builder.flow.select import select
from builder.shell import run
from builder.spec.results import DemoReport

_FILES: Final = ("model.py", "train.py", "trb.yaml", "README.md")
_TRAINING_TIMEOUT_S: Final = 300


def demo(folder: Path, *, step: Step) -> DemoReport:
    """Train a CNN on handwritten digits in `folder`, build it for both backends, check and measure it live.

    Raises:
        UsageError: `folder` holds something else.
    """
    _prepare(folder)
    step("demo", "training a small CNN on scikit-learn's handwritten digits")
    trained = run([sys.executable, "train.py"], cwd=folder, timeout_s=_TRAINING_TIMEOUT_S)
    read = readspec.read(folder / "trb.yaml")
    built = build(read.path, (), jobs=1, force=False, step=step)
    report = DemoReport(folder=str(folder), accuracy=trained.stdout.strip(), build=built)
    if not built.passed:
        return report
    found = targets(read, select(read.project, ())).targets
    with Door().open(read, found, step) as endpoint:
        checked = check_on(read, found, endpoint, step)
        measured = perf_on(read, found, endpoint, PerfRequest(), step) if checked.passed else None
    return replace(report, check=checked, perf=measured)


def _prepare(folder: Path) -> None:
    """Copy the example; a folder of an earlier demo, and no other, is used again."""
    source, marker = asset("examples/digits"), folder / ".trb" / "demo"
    try:
        if folder.exists() and any(folder.iterdir()) and not marker.exists():
            raise UsageError(
                f"{folder} is not empty, and no earlier demo", fix="name another: trb demo FOLDER"
            )
        marker.parent.mkdir(parents=True, exist_ok=True)
        marker.touch()
        for name in _FILES:
            shutil.copyfile(source / name, folder / name)
    except OSError as error:
        where = error.filename or folder
        raise UsageError(f"{where}: {error.strerror}", fix="name another folder: trb demo FOLDER") from error
