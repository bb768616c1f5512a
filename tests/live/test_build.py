"""`trb build` as a process: killed, crashed, interrupted, with nothing to do."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.live.waiting import PATIENCE_S, within

MODELS = """\
import os, threading, time
import torch
from torch import nn


def good():
    torch.manual_seed(int(os.environ.get("TRB_TEST_SEED", "0")))
    return nn.Linear(4, 2)


def crashes():
    os.kill(os.getpid(), 11)


def lingers():
    threading.Thread(target=time.sleep, args=(600,)).start()
    return good()


def says_half_a_letter():
    raise ValueError("\\ud800")


def sleeps():
    open("sleeping", "w").write(str(os.getpid()))
    time.sleep(600)
"""
ENTRY = "    inputs: {x: {dtype: fp32, shape: [batch, 4]}}\n"
BUILD = (sys.executable, "-m", "builder", "build")


def project(folder: Path, *names: str) -> Path:
    (folder / "models.py").write_text(MODELS)
    entries = "".join(f"  {name}:\n    source: models:{name}\n{ENTRY}" for name in names)
    (folder / "trb.yaml").write_text(f"models:\n{entries}")
    return folder


def processes_of(folder: Path) -> list[int]:
    """Return the processes whose working directory is `folder`."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            if (path / "cwd").readlink() == folder and (path / "stat").read_text().split()[2] != "Z":
                found.append(int(path.name))
        except OSError:
            continue
    return found


def test_a_thread_that_a_source_leaves_behind_holds_nothing_up(tmp_path: Path) -> None:
    """The build ends when the model is built, whatever its module is still at."""
    done = subprocess.run(
        BUILD, cwd=project(tmp_path, "lingers"), check=False, capture_output=True, timeout=300
    )

    assert done.returncode == 0


def test_what_no_terminal_can_show_is_told_with_an_escape(tmp_path: Path) -> None:
    """An error that quotes half a letter is a row like any other."""
    folder = project(tmp_path, "says_half_a_letter")
    done = subprocess.run(BUILD, cwd=folder, check=False, capture_output=True, text=True, timeout=300)

    assert done.returncode == 3
    assert "ValueError: \\ud800" in done.stdout


def test_a_build_of_nothing_imports_no_torch(trb: Any, tmp_path: Path) -> None:
    """When nothing changed, torch, onnx and numpy stay on the disk."""
    folder = project(tmp_path, "good")
    trb("build", cwd=folder)
    probe = (
        "import sys; from builder.cli import main\n"
        "try: main(['build', '--json'])\n"
        "except SystemExit as end: assert not end.code\n"
        "print([m for m in ('torch', 'onnx', 'onnxruntime', 'numpy') if m in sys.modules], file=sys.stderr)"
    )

    done = subprocess.run(
        [sys.executable, "-c", probe], cwd=folder, capture_output=True, text=True, check=True, timeout=300
    )

    assert done.stderr.splitlines()[-1] == "[]"
    assert [model["status"] for model in json.loads(done.stdout)["models"]] == ["fresh"]


def test_a_change_of_what_was_read_builds_again(trb: Any, tmp_path: Path) -> None:
    """An edited source is built again; the same bytes give no new version, other ones do."""
    folder = project(tmp_path, "good")
    seen = []
    for edit in ("", "# a remark\n", "def good():\n    torch.manual_seed(7)\n    return nn.Linear(4, 2)\n"):
        (folder / "models.py").write_text(MODELS + edit)
        done = trb("build", "--json", cwd=folder)
        seen += [(model["status"], model["version"]) for model in json.loads(done.stdout)["models"]]

    assert seen == [("built", 1), ("unchanged", 1), ("built", 2)]


def test_a_crash_is_the_crash_of_one_model(trb: Any, tmp_path: Path) -> None:
    """A segmentation fault in one source leaves the other model built."""
    folder = project(tmp_path, "crashes", "good")

    done = trb("build", "--json", cwd=folder, expect=4)

    models = {model["name"]: model for model in json.loads(done.stdout)["models"]}
    assert "SIGSEGV" in models["crashes"]["error"]
    assert models["good"]["status"] == "built"


def test_a_crash_is_told_with_its_step_and_its_place(trb: Any, tmp_path: Path) -> None:
    """The error names what was being done, and the log that it points to has the line that crashed."""
    folder = project(tmp_path, "crashes")

    done = trb("build", "--json", cwd=folder, expect=4)

    (model,) = json.loads(done.stdout)["models"]
    log = folder / ".trb/model_repository/logs/build-crashes.log"
    assert model["error"].endswith("was ended by SIGSEGV while loading")
    assert str(log) in model["fix"]
    assert 'models.py", line 12 in crashes' in log.read_text()


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_a_build_that_ends_early_leaves_nothing_running(tmp_path: Path, how: signal.Signals) -> None:
    """However `trb build` is ended, its processes end too, and the lock is free."""
    folder = project(tmp_path, "sleeps")
    with subprocess.Popen(
        ["env", "--default-signal=INT", *BUILD],  # a shell's background job ignores SIGINT
        cwd=folder,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as build:
        assert within(300, (folder / "sleeping").exists)
        build.send_signal(how)
        build.wait(timeout=PATIENCE_S)

    assert within(PATIENCE_S, lambda: not processes_of(folder))


def test_builds_killed_at_random_leave_a_whole_repository(trb: Any, tmp_path: Path) -> None:
    """After any kill, each version is as it was published, and the next build cleans up and succeeds."""
    folder = project(tmp_path, "good")
    once = time.monotonic()
    trb("build", cwd=folder)
    whole_s = time.monotonic() - once
    luck = random.Random(0)
    for seed in range(1, 6):
        env = {**os.environ, "TRB_TEST_SEED": str(seed)}
        with subprocess.Popen(
            [*BUILD, "--force"], cwd=folder, env=env, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL
        ) as build:
            time.sleep(luck.uniform(0.1, whole_s))
            build.kill()
        require_whole(folder / "model_repository/good")

    trb("build", "--force", cwd=folder)
    assert not list((folder / ".trb/model_repository/staging").glob("*"))


def require_whole(model: Path) -> None:
    from builder.repository import verify_files

    versions = [path for path in model.iterdir() if path.name.isdigit()]
    assert versions
    assert (model / "config.pbtxt").stat().st_size > 0
    for version in versions:
        assert not list(verify_files(version))


def test_the_demo_touches_no_folder_of_others(trb: Any, tmp_path: Path) -> None:
    """`trb demo` in a project of the user's is refused, and changes nothing."""
    (tmp_path / "train.py").write_text("print('mine')")

    done = trb("demo", tmp_path, cwd=tmp_path, expect=2)

    assert "no earlier demo" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["train.py"]
    shutil.rmtree(tmp_path)


def test_what_torch_warns_of_stands_in_the_log(trb: Any, tmp_path: Path) -> None:
    """A deprecation that an export meets is in the build's log, and not on the terminal."""
    folder = project(tmp_path, "good")
    spec = folder / "trb.yaml"
    spec.write_text(f"{spec.read_text()}    backend: torchscript\n")

    done = trb("build", cwd=folder)

    assert "DeprecationWarning" not in done.stdout + done.stderr
    assert "`torch.jit.save` is deprecated" in next(folder.glob(".trb/*/logs/*")).read_text()


def test_one_backend_may_fail_alone(trb: Any, tmp_path: Path) -> None:
    """What ONNX cannot carry is a failure of the ONNX version, and no other."""
    (tmp_path / "models.py").write_text(
        "import torch\n"
        "class Bessel(torch.nn.Module):\n"
        "    def forward(self, x):\n        return torch.special.bessel_j0(x)\n"
        "def load(): return Bessel()\n"
    )
    spec = f"models:\n  bessel:\n    source: models:load\n    backend: [onnx, torchscript]\n{ENTRY}"
    (tmp_path / "trb.yaml").write_text(spec)

    done = trb("build", "--json", cwd=tmp_path, expect=4)

    rows = {row["triton_name"]: row["status"] for row in json.loads(done.stdout)["models"]}
    assert rows["bessel_onnx"] == "failed"
    assert rows["bessel_torchscript"] == "built", done.stdout


@pytest.mark.parametrize(
    ("forward", "words"),
    [
        ("x + torch.rand_like(x)", "differs when the same inputs are given twice"),
        ("x + self.seen.add_(1)", "changes a buffer"),
        (
            "torch.nn.functional.dropout(x, 0.5, training=True)",
            "differs when the same inputs are given twice",
        ),
    ],
)
def test_a_model_that_answers_otherwise_each_time_is_refused(
    trb: Any, tmp_path: Path, forward: str, words: str
) -> None:
    """Random numbers and hidden state are named for what they are, before anything is exported."""
    (tmp_path / "models.py").write_text(
        "import torch\n"
        "class Unsteady(torch.nn.Module):\n"
        "    def __init__(self):\n"
        "        super().__init__()\n"
        "        self.register_buffer('seen', torch.zeros(1))\n"
        f"    def forward(self, x):\n        return {forward}\n"
        "def load(): return Unsteady()\n"
    )
    (tmp_path / "trb.yaml").write_text(f"models:\n  unsteady:\n    source: models:load\n{ENTRY}")

    done = trb("build", cwd=tmp_path, expect=3)

    assert words in done.stdout


def test_a_check_knows_the_spec_that_was_built(trb: Any, tmp_path: Path) -> None:
    """An entry that asks for another model than the one served fails the check; a tolerance does not."""
    folder = project(tmp_path, "good")
    trb("build", cwd=folder)
    spec = (folder / "trb.yaml").read_text()

    (folder / "trb.yaml").write_text(f"{spec}    parity: {{rtol: 0.5}}\n")
    trb("check", cwd=folder)
    (folder / "trb.yaml").write_text(f"{spec}    dims: {{batch: 64}}\n")
    done = trb("check", cwd=folder, expect=7)

    assert "run `trb build`" in done.stdout
