"""Sources and samples that start processes of their own, and checkouts that git knows."""

import json
import subprocess
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

MODEL = """
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset


class Rows(Dataset):
    def __len__(self):
        return 8

    def __getitem__(self, place):
        return torch.full((4,), float(place))


def rows(context):
    loader = DataLoader(Rows(), batch_size=2, num_workers=2, multiprocessing_context=context)
    return torch.cat(list(loader))


def load():
    torch.manual_seed(0)
    net = nn.Linear(4, 2)
    with torch.no_grad():
        net.bias.copy_(rows("{context}").mean() * torch.ones(2))
    return net


def samples():
    return {{"x": rows("{context}")}}
"""
SPEC = """
models:
  net:
    source: model:load
    samples: model:samples
    inputs: {x: {dtype: fp32, shape: [batch, 4]}}
"""


def project(folder: Path, context: str = "fork") -> Path:
    (folder / "model.py").write_text(dedent(MODEL.format(context=context)))
    (folder / "trb.yaml").write_text(SPEC)
    return folder


def commit_in_record(folder: Path) -> str | None:
    versions = (folder / "model_repository" / "net").glob("[0-9]*/record.json")
    newest = max(versions, key=lambda path: int(path.parent.name))
    found = json.loads(newest.read_text())["provenance"]["git_commit"]
    assert found is None or isinstance(found, str)
    return found


@pytest.mark.slow
@pytest.mark.parametrize("context", ["fork", "spawn", "forkserver"])
def test_a_source_and_its_samples_may_use_processes(trb: Any, tmp_path: Path, context: str) -> None:
    """A DataLoader with workers feeds both while they are loaded, however its processes start."""
    trb("build", cwd=project(tmp_path, context))

    assert (tmp_path / "model_repository" / "net" / "1" / "model.onnx").exists()


@pytest.mark.slow
def test_a_record_says_when_the_tree_was_not_the_commit(trb: Any, tmp_path: Path) -> None:
    """A changed tracked file makes `<sha>-dirty`; an untracked one and a change elsewhere do not."""

    def git(*arguments: str) -> str:
        who = ("-c", "user.name=a", "-c", "user.email=a@b.c", "-c", "commit.gpgsign=false")
        done = subprocess.run(
            ["git", *who, *arguments], cwd=tmp_path, check=True, capture_output=True, text=True
        )
        return done.stdout.strip()

    folder = tmp_path / "project"
    folder.mkdir()
    project(folder)
    (tmp_path / "elsewhere.txt").write_text("1")
    git("init", "-q")
    git("add", ".")
    git("commit", "-q", "-m", "all")
    commit = git("rev-parse", "HEAD")
    (tmp_path / "elsewhere.txt").write_text("2")
    (folder / "untracked.txt").write_text("1")

    trb("build", cwd=folder)
    assert commit_in_record(folder) == commit

    model = folder / "model.py"
    model.write_text(model.read_text().replace("manual_seed(0)", "manual_seed(1)"))
    trb("build", cwd=folder)
    assert commit_in_record(folder) == f"{commit}-dirty"
