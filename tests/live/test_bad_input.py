"""What `trb` says to bad input: a message to act on, the right exit code, no traceback, nothing lost."""

import contextlib
import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.live.conftest import Trb

MODELS = """\
import torch
from torch import nn


class Plain(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(4, 2)

    def forward(self, x):
        return self.linear(x)


class Mixes(Plain):
    def forward(self, x):
        return self.linear(x) - 1e-4 * x.mean()


class Eigen(Plain):
    def forward(self, x):
        square = x[:, :, None] * x[:, None, :]
        return torch.linalg.eigvals(square).real


class Branches(Plain):
    def forward(self, x):
        total = x
        import json
        for word in json.loads(open("/dev/null").read() or "[]"):
            total = total + word
        if x.sum() > 0:
            return self.linear(total)
        return -self.linear(total)


def seeded(kind):
    torch.manual_seed(0)
    return kind()


def good(): return seeded(Plain)
def raises(): raise ValueError("no weights today")
def gives_text(): return "a module, honestly"
def mixes(): return seeded(Mixes)
def eigen(): return seeded(Eigen)
def branches(): return seeded(Branches)
def other_weights(): return Plain()
def takes(size): return Plain()
"""

INPUTS = "inputs: {x: {dtype: fp32, shape: [batch, 4]}}"

WRONG = {
    "missing_module": ("source: nowhere:load", INPUTS, 3, ["there is no module `nowhere`"]),
    "missing_callable": ("source: models:god", INPUTS, 3, ["has no `god`", "did you mean `models:good`"]),
    "raises": ("source: models:raises", INPUTS, 3, ["no weights today", "models.py:"]),
    "no_module": ("source: models:gives_text", INPUTS, 3, ["str", "torch.nn.Module"]),
    "takes_arguments": ("source: models:takes", INPUTS, 3, ["size"]),
    "other_weights": ("source: models:other_weights", INPUTS, 3, ["linear.weight"]),
    "refuses": (
        "source: models:good",
        "inputs: {x: {dtype: fp32, shape: [batch, 5]}}",
        3,
        ["forward(x=float32[", "models.py:"],
    ),
    "no_translation": ("source: models:eigen", INPUTS, 4, ["eig", "models.py:"]),
    "claims_batching": (
        "source: models:mixes",
        f"{INPUTS}\n    batching: true",
        4,
        ["row"],
    ),
    "control_flow": (
        "source: models:branches",
        f"{INPUTS}\n    backend: torchscript",
        4,
        ["models.py:"],
    ),
}


@pytest.fixture(scope="module")
def report(trb: Trb, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, object]]:
    """One build of every wrong model beside a good one, as JSON by model."""
    folder = tmp_path_factory.mktemp("wrong")
    (folder / "models.py").write_text(MODELS)
    entries = [f"  {name}:\n    {source}\n    {rest}" for name, (source, rest, _, _) in WRONG.items()]
    entries.append(f"  good:\n    source: models:good\n    {INPUTS}")
    (folder / "trb.yaml").write_text("models:\n" + "\n".join(entries) + "\n")

    done = trb("build", "--json", "-j", "2", cwd=folder, expect=3, timeout_s=600)

    assert "Traceback" not in done.stdout
    return {model["name"]: model for model in json.loads(done.stdout)["models"]}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_model_says_what_to_do(report: dict[str, dict[str, object]], name: str) -> None:
    """Each failure names its cause and place, and has the exit code of its class."""
    _, _, code, words = WRONG[name]
    model = report[name]
    said = f"{model['error']}\n{model['fix']}"

    assert model["status"] == "failed"
    assert model["error_code"] == code, said
    assert not [word for word in words if word not in said], said


def test_the_good_model_is_built_beside_the_wrong_ones(report: dict[str, dict[str, object]]) -> None:
    """A failure takes no other model along."""
    assert report["good"]["status"] == "built"


def test_a_model_that_mixes_rows_is_not_batched(trb: Trb, tmp_path: Path) -> None:
    """Rows mixed by 1e-4 of the batch mean are found, and the server is told not to batch."""
    (tmp_path / "models.py").write_text(MODELS)
    (tmp_path / "trb.yaml").write_text(f"models:\n  mixes:\n    source: models:mixes\n    {INPUTS}\n")

    done = trb("build", "--json", cwd=tmp_path)

    model = json.loads(done.stdout)["models"][0]
    assert model["max_batch_size"] == 0
    assert 0 < model["row_gap"] < 1e-2
    assert "max_batch_size: 0" in (tmp_path / "model_repository/mixes/config.pbtxt").read_text()


@pytest.mark.parametrize(
    ("args", "code", "words"),
    [
        (["build", "nothing"], 2, "the spec has no model `nothing`"),
        (["build", "-f", "absent.yaml"], 3, "does not exist"),
        (["build", "--jobs", "0"], 2, "Invalid value"),
        (["check"], 5, "run `trb build good`"),
        (["check", "--server", "http://127.0.0.1:9"], 5, "run `trb build good`"),
        (["serve", "--stop"], 6, "no detached server"),
        (["perf"], 5, "run `trb build good`"),
        (["perf", "--size", "seq"], 2, "`--size seq=32`"),
        (["init", "models"], 2, "is not `module:callable`"),
        (["init", "models:good"], 2, "exists"),
        (["biuld"], 2, "Did you mean 'build'"),
    ],
)
def test_a_wrong_command_line_ends_at_once(
    trb: Trb, tmp_path: Path, args: list[str], code: int, words: str
) -> None:
    """What cannot be done is refused in words, with the code of its class."""
    (tmp_path / "models.py").write_text(MODELS)
    (tmp_path / "trb.yaml").write_text(f"models:\n  good:\n    source: models:good\n    {INPUTS}\n")

    done = trb(*args, cwd=tmp_path, expect=code)

    assert words in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def test_a_full_disk_loses_nothing(trb: Trb, tmp_path: Path) -> None:
    """A build on a full disk fails with the space that is free, and what was served still stands."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=400k", "tmpfs", str(disk)], check=False)
    if mounted.returncode != 0:
        pytest.skip("mounting a small disk needs root")
    try:
        (disk / "models.py").write_text(MODELS)
        spec = f"models:\n  good:\n    source: models:good\n    {INPUTS}\n"
        (disk / "trb.yaml").write_text(spec)
        trb("build", cwd=disk)
        config = (disk / "model_repository/good/config.pbtxt").read_bytes()
        shutil.rmtree(disk / "__pycache__", ignore_errors=True)
        _fill(disk)

        done = trb("build", "--force", cwd=disk, expect=5)

        assert "full" in done.stdout + done.stderr
        assert (disk / "model_repository/good/config.pbtxt").read_bytes() == config
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)


def _fill(disk: Path) -> None:
    with (disk / "filler").open("wb", buffering=0) as filler, contextlib.suppress(OSError):
        while True:
            filler.write(b"x" * 4096)


def test_a_folder_without_a_model_is_not_served(trb: Trb, tmp_path: Path) -> None:
    """`trb serve --repository` of an empty folder ends with 5, polled too, and leaves nothing beside it."""
    (tmp_path / "empty").mkdir()

    for more in ([], ["--poll"]):
        done = trb("serve", "--repository", "empty", *more, cwd=tmp_path, expect=5)
        assert "holds no model" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["empty"]
