"""The digits example, trained, in a folder of its own."""

import shutil
import sys
from pathlib import Path

from _paired import ROOT, run


def trained_digits(into: Path) -> Path:
    """Copy the example below `into`, train it and return its folder."""
    folder = into / "digits"
    ignore = shutil.ignore_patterns("__pycache__", "model_repository", ".trb", "*.safetensors", "*.npz")
    shutil.copytree(ROOT / "examples" / "digits", folder, ignore=ignore)
    run([sys.executable, "train.py"], folder)
    return folder


def forget(folder: Path) -> None:
    """Remove what builds left in `folder`."""
    for made in ("model_repository", ".trb", "bare"):
        shutil.rmtree(folder / made, ignore_errors=True)
