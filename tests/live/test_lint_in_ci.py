"""The hook of pre-commit, the GitHub Action and the small installation that both stand on."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.lint.case import write_onnx, write_torchscript

ROOT = Path(__file__).resolve().parents[2]
TRB = Path(sys.executable).with_name("trb")
GRAPH = '<ir_version: 8, opset_import: ["": 18]> g (float[N,4] x) => (float[N,4] y) { y = Relu(x) }'
MODULE = """
class Model(nn.Module):
    def forward(self, x):
        return x + 1
"""
ONLY_WHAT_IS_LISTED = """
import sys
from importlib.metadata import packages_distributions

of = packages_distributions()

class OnlyListed:
    def find_spec(self, name, path=None, target=None):
        makers = {maker.lower().replace("-", "_") for maker in of.get(name.partition(".")[0], ())}
        if makers and makers.isdisjoint(LISTED | {"trb"}):
            raise ImportError(f"{name} is not in requirements-lint.txt")

sys.meta_path.insert(0, OnlyListed())
from builder.cli import main
main(["lint", REPOSITORY])
"""


def listed() -> list[str]:
    """The lines of requirements-lint.txt that name a package."""
    lines = (ROOT / "requirements-lint.txt").read_text().splitlines()
    return [line for line in lines if not line.startswith("#")]


def action() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text())
    return found


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with a sound model of each kind that lint reads."""
    for name, backend in (("onnx", "onnxruntime"), ("torch", "pytorch"), ("py", "python")):
        (tmp_path / "models" / name / "1").mkdir(parents=True)
        (tmp_path / "models" / name / "config.pbtxt").write_text(
            f'backend: "{backend}"\nmax_batch_size: 8\n'
            'input { name: "x" data_type: TYPE_FP32 dims: [ 4 ] }\n'
            'output { name: "y" data_type: TYPE_FP32 dims: [ 4 ] }\n'
        )
    write_onnx(tmp_path / "models/onnx/1/model.onnx", GRAPH)
    write_torchscript(tmp_path / "models/torch/1/model.pt", MODULE)
    (tmp_path / "models/py/1/model.py").write_text(
        "class TritonPythonModel:\n    def execute(self, requests):\n        return []\n"
    )
    return tmp_path / "models"


def test_lint_needs_no_torch_and_nothing_else_that_is_not_listed(repository: Path) -> None:
    """With only the packages of requirements-lint.txt to import, models of every kind are read."""
    names = {line.split("==")[0].lower().replace("-", "_") for line in listed()}
    code = ONLY_WHAT_IS_LISTED.replace("LISTED", repr(names)).replace("REPOSITORY", repr(str(repository)))

    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "PASS: 3 models" in done.stdout


def test_the_listed_versions_are_those_that_everything_else_runs_on() -> None:
    """Every line of requirements-lint.txt stands in constraints.txt."""
    pinned = (ROOT / "constraints.txt").read_text().splitlines()

    assert [line for line in listed() if line not in pinned] == []


def test_the_hook_is_given_configs_and_fails_on_an_error(repository: Path) -> None:
    """The hook's pattern takes every config.pbtxt, and its entry lints the files that it is given."""
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    names = ["models/onnx/config.pbtxt", "config.pbtxt", "models/onnx/1/model.onnx", "my-config.pbtxt"]
    (repository / "onnx/config.pbtxt").write_text('backend: "onnx"')

    done = subprocess.run(
        [TRB, *hook["entry"].split()[1:], *sorted(repository.glob("*/config.pbtxt"))],
        check=False,
        capture_output=True,
        text=True,
    )

    assert [name for name in names if re.search(hook["files"], name)] == names[:2]
    assert done.returncode == 5
    assert "C204" in done.stdout
    assert "3 models" in done.stdout


def run_step(folder: Path, **given: str) -> subprocess.CompletedProcess[str]:
    """Run the last step of the action in `folder`, as a runner does, its environment made already."""
    (folder / "temp/trb-lint/bin").mkdir(parents=True, exist_ok=True)
    (folder / "temp/trb-lint/bin/trb").unlink(missing_ok=True)
    (folder / "temp/trb-lint/bin/trb").symlink_to(TRB)
    inputs = {name: given.get(name, one.get("default", "")) for name, one in action()["inputs"].items()}
    step = action()["runs"]["steps"][-1]
    variables = {
        name: re.sub(r"\$\{\{ inputs\.(\w+) \}\}", lambda found: inputs[found[1]], value)
        for name, value in step["env"].items()
    }
    return subprocess.run(
        ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c", step["run"]],
        cwd=folder,
        env={**os.environ, **variables, "RUNNER_TEMP": str(folder / "temp")},
        check=False,
        capture_output=True,
        text=True,
    )


def test_the_action_is_a_composite_whose_inputs_reach_the_shell_as_variables() -> None:
    """No expression stands in a script; every step has what its kind needs."""
    steps = action()["runs"]["steps"]

    assert action()["runs"]["using"] == "composite"
    assert all(("uses" in step) != ("run" in step and step["shell"] == "bash") for step in steps)
    assert not [step["run"] for step in steps if "${{" in step.get("run", "")]
    assert all("description" in one for one in action()["inputs"].values())


def test_the_action_passes_on_a_sound_repository(repository: Path) -> None:
    """The default repository is found, and nothing is annotated."""
    repository.rename(repository.with_name("model_repository"))

    done = run_step(repository.parent)

    assert (done.returncode, done.stdout) == (0, ""), done.stderr


def test_the_action_annotates_and_fails(repository: Path) -> None:
    """A finding becomes an annotation, and an error the step's exit code; warnings do with `strict`."""
    (repository / "onnx/config.pbtxt").write_text('backend: "onnx"')
    (repository.parent / "empty").mkdir()

    done = run_step(repository.parent, repositories="models\nempty")
    lenient = run_step(repository.parent, repositories="empty")
    strict = run_step(repository.parent, repositories="empty", strict="true")

    assert done.returncode == 5
    assert "::error file=models/onnx/config.pbtxt,line=1,col=1,title=trb lint C204::" in done.stdout
    assert "::warning file=empty" in done.stdout
    assert (lenient.returncode, strict.returncode) == (0, 5)


def test_nothing_in_an_input_of_the_action_is_run(repository: Path) -> None:
    """Quotes in `args` hold words together, and what a shell would run is only a word."""
    done = run_step(
        repository.parent, repositories="models", args="--ignore 'C2 $(touch ran)' --triton '24.10'"
    )
    odd = run_step(repository.parent, repositories="$(touch ran)", triton="`touch ran`")

    assert "no code of trb lint starts with 'C2 $(TOUCH RAN)'" in done.stderr
    assert odd.returncode != 0
    assert not (repository.parent / "ran").exists()


def test_the_commands_of_the_guide_work(repository: Path) -> None:
    """Every command in the shell blocks of docs/lint.md ends well on a sound repository."""
    repository.rename(repository.with_name("model_repository"))
    (repository.parent / "model_repository/onnx").rename(repository.parent / "model_repository/encoder")
    blocks = re.findall(r"```sh\n(.*?)```", (ROOT / "docs/lint.md").read_text(), re.DOTALL)
    commands = [line for block in blocks for line in block.splitlines() if not line.startswith("pip install")]

    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", "\n".join(commands)],
        cwd=repository.parent,
        env={**os.environ, "PATH": f"{TRB.parent}{os.pathsep}{os.environ['PATH']}"},
        check=False,
        capture_output=True,
        text=True,
    )

    assert len(commands) > 3
    assert done.returncode == 0, done.stdout + done.stderr
