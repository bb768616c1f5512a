"""One model, from source to staged version folders, in a process of its own."""

import contextlib
import faulthandler
import multiprocessing
import os
import sys
import threading
import time
import traceback
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import TypeVar

from builder.errors import ExportError, TrbError
from builder.flow import pool
from builder.flow.linted import require_served
from builder.repository import out_of_room
from builder.spec.artifact import Artifact, BatchProof
from builder.spec.loaded import Fingerprint, Loaded
from builder.spec.project import Backend, Model
from builder.spec.record import VersionRecord
from builder.spec.releases import Release, release
from builder.spec.results import FusePick, Hop


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What to build, and where to."""

    name: str
    model: Model
    folder: Path
    """The folder of trb.yaml."""
    triton: str
    stages: Mapping[Backend, tuple[str, Path]]
    """For each backend the name in the repository and the folder to fill."""
    log: Path
    threads: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Staged:
    """A version that is ready to be published."""

    backend: Backend
    triton_name: str
    folder: Path
    """config.pbtxt, warmup/ and version/."""
    record: VersionRecord
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """What came of one model."""

    staged: tuple[Staged, ...]
    failures: Mapping[Backend, TrbError]
    """Why a backend has no version; the others may have one."""
    fingerprint: Fingerprint
    notes: tuple[str, ...]
    pick: FusePick | None = None
    """Which form of a pipeline is staged, where both were measured."""


Say = Callable[[str], None]
J = TypeVar("J", bound=pool.Job)


def work(job: Job, channel: Connection) -> None:
    """Build `job` and send what came of it; whatever is printed on the way goes to the job's log."""
    send(job, channel, _build)


def send(job: J, channel: Connection, build: Callable[[J, Say], Built]) -> None:
    """Send what `build` makes of `job`, in a process of its own, or why it makes nothing."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        _print_into(job.log)
        faulthandler.enable()  # a crash in native code says in the log where it was
        outcome: Built | TrbError = build(job, lambda what: channel.send(("step", what)))
    except Exception as error:  # noqa: BLE001 - whatever it is, the other models are built
        with contextlib.suppress(OSError):  # a full disk may have no room for the log either
            traceback.print_exc()
        outcome = out_of_room(job.log.parent) or _failure(job, error)
    channel.send(("done", outcome))


def _failure(job: pool.Job, error: Exception) -> TrbError:
    if isinstance(error, TrbError):
        return error
    return TrbError(
        f"a bug in trb: {job.name} failed in a way nobody foresaw\n{traceback.format_exc().rstrip()}",
        fix="please report it with these lines",
    )


def _build(job: Job, say: Say) -> Built:
    import torch

    from builder.loading import load

    torch.set_num_threads(job.threads)
    target = release(job.triton)
    say("loading")
    loaded = load(job.name, job.model, job.folder, target)
    staged: list[Staged] = []
    failures: dict[Backend, TrbError] = {}
    for backend in job.stages:
        try:
            staged.append(_stage(job, backend, loaded, target, say))
        except (
            TrbError
        ) as error:  # one backend's failure is a row of the report, and no reason to skip the other
            traceback.print_exc()
            failures[backend] = out_of_room(job.log.parent) or error
    return Built(staged=tuple(staged), failures=failures, fingerprint=loaded.fingerprint, notes=loaded.notes)


def _stage(job: Job, backend: Backend, loaded: Loaded, target: Release, say: Say) -> Staged:
    from builder.export import export

    started = time.monotonic()
    triton_name, folder = job.stages[backend]
    version = folder / "version"
    version.mkdir(parents=True)
    say(f"exporting {backend.value}")
    artifact = export(loaded, backend, into=version, release=target, log=job.log)
    return proven(loaded, artifact, triton_name, folder, target, threads=job.threads, say=say, since=started)


def proven(
    loaded: Loaded,
    artifact: Artifact,
    triton_name: str,
    folder: Path,
    target: Release,
    *,
    threads: int,
    say: Say,
    since: float,
) -> Staged:
    """Prove the file in a stage against its reference, and write the config that it is served with.

    Args:
        loaded: the model, whose reference gives the numbers.
        artifact: the file, in `folder`/version.
        triton_name: the model's name in the repository.
        folder: the stage.
        target: the release that must serve it.
        threads: that the runtimes may use.
        say: told what is being done.
        since: when work on it began, by time.monotonic().

    Raises:
        ExportError: the file does not answer like the model, or the release would not serve it.
    """
    from builder import config
    from builder.config.refused import require_in_order
    from builder.export import offline_parity, prove_batch

    file = artifact.path.name
    say(f"proving the batch axis of {file}")
    proof = prove_batch(loaded, artifact, threads=threads)
    say(f"comparing {file} with {loaded.reference_name}")
    parity = offline_parity(loaded, artifact, threads=threads)
    require_parity(parity, triton_name, loaded)
    say(f"writing {triton_name}")
    settings = config.make(triton_name, loaded, artifact, proof)
    require_in_order(settings, artifact)
    config.write(settings, loaded, into=folder)
    require_served(folder, triton_name, target)
    record = VersionRecord(
        model=triton_name,
        backend=artifact.backend.triton,
        triton=target.name,
        exporter=artifact.exporter,
        opset=artifact.opset,
        ir_version=artifact.ir_version,
        signature=artifact.signature,
        batch=proof,
        row_tolerance=loaded.model.batching.row_tolerance,
        provenance=loaded.provenance,
        offline_parity=parity,
        notes=(
            *loaded.notes,
            *artifact.notes,
            *_alone(proof),
            *(f"not proven {what}" for what in loaded.not_proven),
        ),
    )
    return Staged(
        backend=artifact.backend,
        triton_name=triton_name,
        folder=folder,
        record=record,
        seconds=time.monotonic() - since,
    )


def _alone(proof: BatchProof) -> tuple[str, ...]:
    return () if proof.joins_requests else (proof.reason,)


def require_parity(parity: Hop, triton_name: str, loaded: Loaded) -> None:
    """Make sure that the offline hop passed.

    Raises:
        ExportError: it did not; says where, and what would have passed.
    """
    from builder.export import way_to_pass

    if parity.passed:
        return
    failed = [(c.case, gap) for c in parity.comparisons for gap in c.outputs if not gap.passed]
    lines = [f"  {case}: {gap.name}: {gap.problem}" for case, gap in failed[:5]]
    lines += [f"  {name}: no answer had an element, so nothing was compared" for name in parity.uncompared]
    what = "\n".join(
        [f"{triton_name}: the exported file does not answer like the model ({parity.name})", *lines]
    )
    raise ExportError(f"{what}\n  {parity.problem}".rstrip(), fix=way_to_pass(loaded, parity))


def _end_with_parent() -> None:
    """End this process, whatever it is doing, when `trb` is gone: nobody is left to publish its work."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    wait([parent.sentinel])
    os._exit(1)


def _print_into(log: Path) -> None:
    log.parent.mkdir(parents=True, exist_ok=True)
    file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    sys.stdout.flush()
    sys.stderr.flush()
    os.dup2(file, 1)
    os.dup2(file, 2)
    os.close(file)
    warnings.simplefilter("default")  # deprecations too: the log is read when something is odd
