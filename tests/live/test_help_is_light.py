"""`trb --help` answers at once because it imports little."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.lint.ensemble_files import fan

HEAVY = {
    "google.protobuf", "importlib.metadata", "jinja2", "numpy", "onnx", "onnxruntime", "pydantic", "rich",
    "safetensors", "sklearn", "torch", "tritonclient", "yaml",
}  # fmt: skip
COMMANDS = ("init", "build", "serve", "check", "perf", "graph", "doctor", "demo", "completion")


def imported_by(*args: str) -> set[str]:
    """Return every module that `trb ARGS...` imports."""
    code = (
        "import sys\n"
        "from builder.cli import main\n"
        f"try: main({list(args)!r})\n"
        "except SystemExit as end: assert not end.code, end.code\n"
        "print('\\n'.join(sys.modules), file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=60
    )
    return set(done.stderr.split())


@pytest.mark.parametrize(
    "args", [("--help",), ("--version",), *((name, "--help") for name in COMMANDS)], ids=" ".join
)
def test_help_imports_nothing_heavy(args: tuple[str, ...]) -> None:
    """No help page imports torch, or any other library than click."""
    modules = imported_by(*args)

    assert "click" in modules
    assert not modules & HEAVY


def test_a_hand_written_pipeline_is_drawn_with_little(tmp_path: Path) -> None:
    """`trb graph --repository` needs no torch, and nothing else of what builds and serves."""
    fan(tmp_path)
    modules = imported_by("graph", "--repository", str(tmp_path), "--format", "svg")

    assert not modules & {"jinja2", "numpy", "onnx", "onnxruntime", "pydantic", "torch", "yaml"}


def test_help_imports_click_and_ours_alone() -> None:
    """Outside the standard library, `trb --help` imports click and builder."""
    tops = {name.partition(".")[0] for name in imported_by("--help")}
    ours = {name for name in tops if name not in sys.stdlib_module_names and not name.startswith("_")}

    assert ours - {"click", "builder"} <= _at_start_up()


def _at_start_up() -> set[str]:
    """What Python imports before anything of ours runs: the `.pth` files of the environment."""
    code = "import sys; print('\\n'.join(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=60
    )
    return {name.partition(".")[0] for name in done.stdout.split()}
