"""A publisher that is killed leaves the old version or the new one, whole, and the next build cleans up."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from builder import repository
from builder.errors import RepositoryBusy
from tests.unit.repository.values import publish, tree

ROOT = Path(__file__).parents[2]
KILLED_AT_EVERY_STEP = """
import itertools, os, signal, sys
from pathlib import Path
from builder import repository
from tests.unit.repository.values import publish, tree

root = Path(sys.argv[1])
ours = str(root.parent)

def killed_at(step):
    seen = 0
    def count(event, arguments):
        nonlocal seen
        if event.startswith(("open", "os.", "shutil.", "ctypes.dlsym")):
            seen += 1
            if seen == step:
                os.kill(os.getpid(), signal.SIGKILL)
    sys.addaudithook(count)
    with repository.lock(root):
        repository.recover(root)
        publish(root, "new", config="new", warmup="new")
    os._exit(0)

def outcome(step):
    child = os.fork()
    if child == 0:
        killed_at(step)
    return os.waitpid(child, 0)[1]

before = tree(root / "m") if (root / "m").exists() else None
for step in itertools.count(1):
    if outcome(step) == 0:
        break
    now = tree(root / "m") if (root / "m").exists() else None
    if now == before:
        print("old")
        continue
    newest = repository.latest(root, "m")
    assert repository.verify(newest) == () and tree(root / "m")["config.pbtxt"] == "new", now
    assert before is None or {k: now[k] for k in before if k.startswith("1/")} == {
        k: v for k, v in before.items() if k.startswith("1/")}
    assert sorted(path.name for path in root.iterdir()) == ["m"]
    print("new")
print("done")
"""
FOREVER = """
import itertools, sys
from pathlib import Path
from builder import repository
from tests.unit.repository.values import publish, record

root = Path(sys.argv[1])
with repository.lock(root):
    repository.recover(root)
    start = repository.latest(root, "m").version + 1 if repository.models(root) else 1
    print("publishing", flush=True)
    for number in itertools.count(start):
        publish(root, f"weights {number}", config=f"config {number}", warmup=f"warmup {number}")
"""
HELD_BY_A_CHILD = """
import subprocess, sys, time
from pathlib import Path
from builder import repository

with repository.lock(Path(sys.argv[1])):
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], close_fds=False)
    print(child.pid, flush=True)
    time.sleep(60)
"""
FULL = """
import sys
from pathlib import Path
from builder import repository
from builder.errors import RepositoryError
from tests.unit.repository.values import fill, publish, record, tree

root = Path(sys.argv[1])
publish(root, "w")
before = tree(root)
stage = fill(repository.stage(root, "m"), "w2")
filler = open(root.parent / "filler", "wb", buffering=0)
try:
    while True:
        filler.write(b"x" * 4096)
except OSError:
    pass
try:
    repository.publish(root, "m", stage, record())
except RepositoryError as error:
    print(error.what)
assert tree(root) == before
filler.close()
(root.parent / "filler").unlink()
assert publish(root, "w2").version == 2
"""


def script(text: str, *arguments: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", text, *arguments],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@contextmanager
def running(text: str, *arguments: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Yield a script and the first line it says; end it with the block."""
    with script(text, *arguments) as process:
        try:
            assert process.stdout is not None
            yield process, process.stdout.readline()
        finally:
            process.kill()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "project" / "model_repository"


@pytest.mark.parametrize("published_before", [0, 1])
def test_killed_at_every_step_it_leaves_the_old_version_or_the_new(root: Path, published_before: int) -> None:
    """SIGKILL before each file operation of a publication in turn: never half a version, never a lost one."""
    root.mkdir(parents=True)
    for _ in range(published_before):
        publish(root, "old", config="old", warmup="old")
    with script(KILLED_AT_EVERY_STEP, root) as process:
        said, errors = process.communicate(timeout=500)

    assert process.returncode == 0, errors
    outcomes = said.split()
    assert outcomes[-1] == "done"
    assert outcomes.count("old") > 30
    assert outcomes.count("new") > 0


def test_killed_at_random_moments_the_newest_version_is_whole(root: Path) -> None:
    """After each of twenty kills: a whole newest version, every older one as it was, and a lock that is free."""
    moment = random.Random(0)
    seen: dict[str, str] = {}
    kills = 0
    while kills < 20 or len(seen) <= 20:
        kills += 1
        longest_s = 0.12 * (1 + kills // 20)  # a busy machine publishes little in that
        with running(FOREVER, root) as (process, said):
            assert said == "publishing\n"
            time.sleep(moment.uniform(0, longest_s))
            process.send_signal(signal.SIGKILL)
            process.wait()
        if not repository.models(root):
            continue
        newest = repository.latest(root, "m")
        now = tree(root / "m")
        assert repository.verify(newest) == ()
        assert now["config.pbtxt"] == f"config {newest.version}"
        assert now["warmup/0_x"] == f"warmup {newest.version}"
        assert {path: now[path] for path in seen} == seen
        seen = {path: text for path, text in now.items() if path[0].isdigit()}

    with repository.lock(root):
        repository.recover(root)
    assert not (repository.home(root) / "staging").exists()


def test_the_lock_of_a_killed_build_is_free_although_its_children_live_on(root: Path) -> None:
    """What a build has started does not inherit its lock; while it lives, it is the holder that is named."""
    with running(HELD_BY_A_CHILD, root) as (process, child):
        try:
            with pytest.raises(RepositoryBusy, match=f"process {process.pid}"), repository.lock(root):
                pass
            process.send_signal(signal.SIGKILL)
            process.wait()
            os.kill(int(child), 0)  # it lives
            with repository.lock(root):
                pass
        finally:
            os.kill(int(child), signal.SIGKILL)


def test_a_full_disk_loses_nothing(tmp_path: Path) -> None:
    """On a filesystem of 256 kB that fills: the old version stands, the message gives both sizes, a retry works."""
    unshare = shutil.which("unshare")
    if unshare is None:
        pytest.skip("unshare is not installed: no small filesystem can be made")
    mount = [unshare, "-rm", "sh", "-c", 'mount -t tmpfs -o size=256k none "$1" && shift && exec "$@"', "sh"]
    if subprocess.run([*mount, tmp_path, "true"], check=False, capture_output=True).returncode != 0:
        pytest.skip("this machine lets nobody mount a small filesystem")
    done = subprocess.run(
        [*mount, tmp_path, sys.executable, "-c", FULL, tmp_path / "models"],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "is full" in done.stdout
    assert "bytes are needed" in done.stdout
