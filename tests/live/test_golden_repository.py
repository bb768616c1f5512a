"""Whole repositories as a person reads them; `make golden` writes them anew, and the diff is read as code.

A case is a folder of tests/golden with a trb.yaml. Beside the spec and its sources lie the repository's texts, at
their own paths, and tree.txt, which lists every file of it.
"""

import hashlib
import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.live.conftest import Trb
from tests.on_record import require_same

GOLDEN = Path(__file__).parents[1] / "golden"
CASES = sorted(spec.parent.name for spec in GOLDEN.glob("*/trb.yaml"))
REPOSITORY = "model_repository"
TREE = "tree.txt"


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_golden_repository(case: str, trb: Trb, tmp_path: Path) -> None:
    """A spec gives the files, the configs, the records and the warmup data that are on record."""
    project = shutil.copytree(
        GOLDEN / case, tmp_path / case, ignore=shutil.ignore_patterns(REPOSITORY, TREE, "__pycache__")
    )
    trb("build", "-j", "2", cwd=project)

    made = readable(project / REPOSITORY)
    if os.environ.get("TRB_GOLDEN") == "write":
        rewrite(GOLDEN / case, made)
    require_same(on_record(GOLDEN / case), made)


def readable(repository: Path) -> dict[str, str]:
    """Return what a person can read of a repository, by path."""
    texts, tree = {}, []
    for path in sorted(path for path in repository.rglob("*") if path.is_file()):
        name = path.relative_to(repository).as_posix()
        content = path.read_bytes()
        tree.append(name if path.parent.name != "warmup" else f"{name} {described(content)}")
        if path.name == "config.pbtxt":
            texts[f"{REPOSITORY}/{name}"] = content.decode()
        if path.name == "record.json":
            record = json.dumps(without_the_machine(json.loads(content)), indent=1)
            texts[f"{REPOSITORY}/{name}"] = f"{record}\n"
    return {TREE: "".join(f"{line}\n" for line in tree), **texts}


def described(content: bytes) -> str:
    return f"{len(content)} bytes, sha256 {hashlib.sha256(content).hexdigest()}"


def without_the_machine(record: dict[str, Any]) -> dict[str, Any]:
    """Return a record.json without what the machine and its packages decide; keys and their order stay.

    The hashes of weights and model files, the packages' versions and the commit give way to a word in brackets, and
    so do the gaps between rows, unless they are 0: bit-equal. A comparison becomes one line without its figures:
    the case, then each output with how many elements were compared, within which tolerance, to which verdict.
    """
    batch, origin, parity = record["batch"], record["provenance"], record["offline_parity"]
    record["files"] = dict.fromkeys(record["files"], "[SHA256]")
    origin["weights_sha256"], origin["git_commit"] = "[SHA256]", "[COMMIT]"
    origin["packages"] = dict.fromkeys(origin["packages"], "[VERSION]")
    batch["concat_gap"] = "[MEASURED]"
    batch["row_gap"] = batch["row_gap"] and "[MEASURED]"
    parity["comparisons"] = [
        f"{one['case']}: {'; '.join(map(compared, one['outputs']))}" for one in parity["comparisons"]
    ]
    return record


def compared(gap: dict[str, Any]) -> str:
    tolerance = ", ".join(f"{name} {value}" for name, value in gap["tolerance"].items() if value is not None)
    verdict = "passed" if gap["passed"] else "failed"
    return f"{gap['name']}: {gap['compared']} within {tolerance} {verdict}"


def on_record(case: Path) -> dict[str, str]:
    paths = [case / TREE, *sorted((case / REPOSITORY).rglob("*"))]
    return {path.relative_to(case).as_posix(): path.read_text() for path in paths if path.is_file()}


def rewrite(case: Path, texts: dict[str, str]) -> None:
    shutil.rmtree(case / REPOSITORY, ignore_errors=True)
    for name, text in texts.items():
        (case / name).parent.mkdir(parents=True, exist_ok=True)
        (case / name).write_text(text)
