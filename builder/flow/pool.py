"""Build processes: forks of one server that has torch and the exporters in memory already.

A model needs a process of its own: TorchScript's names depend on what was compiled before, user modules of two models
may share a name, and a crash must stay that model's. A fork of a warm process costs milliseconds, a fresh one seconds.
"""

import logging
import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from multiprocessing import forkserver
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final, Protocol, TypeVar

from builder.errors import ExportError, TrbError

Step = Callable[[str, str], None]
_log: Final = logging.getLogger("trb.build")
_GRACE_S: Final = 5.0
"""How long a process may take to end once its result is there."""
_PRELOAD: Final = ["builder.flow.uncollected", "builder.flow.preload"]


class Job(Protocol):
    """What a build process is given."""

    @property
    def name(self) -> str:
        """The model's name."""

    @property
    def log(self) -> Path:
        """Where its process writes what it prints, and where it crashed."""


J = TypeVar("J", bound=Job)


def run(
    jobs: Sequence[J], work: Callable[[J, Connection], None], *, workers: int, threads: int, step: Step
) -> Iterator[tuple[J, Any]]:
    """Run `work(job, channel)` for each job in a process of its own, `workers` at a time.

    `work` sends `("step", text)` any number of times and then `("done", value)`, where the value may be a TrbError.
    Yields each job, as it ends, with its value; a job whose process died has the TrbError that says how.
    """
    context = _context(threads, warm=len(jobs) > 1)
    with ThreadPoolExecutor(max_workers=workers) as pool:
        running: list[multiprocessing.process.BaseProcess] = []
        futures = {pool.submit(_one, context, running, job, work, step): job for job in jobs}
        try:
            for future in as_completed(futures):
                yield futures[future], future.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            for process in running:
                process.kill()
            raise


def threads_of(workers: int) -> int:
    """Return the threads that each of `workers` processes may use."""
    return max(1, len(os.sched_getaffinity(0)) // workers)


def show_log(job: Job) -> None:
    """Show what a job printed, where people asked for that."""
    if _log.isEnabledFor(logging.INFO) and job.log.exists():
        _log.info("%s said, while it was built:\n%s", job.name, job.log.read_text(errors="replace"))


def _context(threads: int, *, warm: bool) -> Any:
    """Return the fork server's context; the first fork starts it, with this environment."""
    os.environ["TRB_WARM_EXPORT"] = "1" if warm else ""
    os.environ["PYTHONHASHSEED"] = "0"  # scripted TorchScript files vary with it
    os.environ["OMP_NUM_THREADS"] = str(threads)
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(_PRELOAD)
    # Ctrl-C is for `trb`, which ends the others: the fork server would answer it with a traceback while it imports.
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    forkserver.ensure_running()
    signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
    return context


def _one(context: Any, running: list[Any], job: J, work: Callable[[J, Connection], None], step: Step) -> Any:
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=work, args=(job, theirs))
    process.start()
    running.append(process)
    theirs.close()
    kind, value, doing = "lost", None, "starting"
    try:
        while kind in ("lost", "step"):
            kind, value = ours.recv()
            if kind == "step":
                doing = value
                step(job.name, doing)
    except EOFError:
        kind = "lost"
    process.join(_GRACE_S if kind == "done" else None)
    if (
        process.is_alive()
    ):  # a thread that the user's code has left behind would keep it, and the build, for ever
        process.kill()
        process.join()
    running.remove(process)
    return _crashed(job, doing, process.exitcode) if kind == "lost" else value


def _crashed(job: Job, doing: str, exitcode: int) -> TrbError:
    if exitcode < 0:
        how = signal.Signals(-exitcode).name
        fix = (
            "it ran out of memory, or someone killed it"
            if how == "SIGKILL"
            else f"it crashed in native code; the end of {job.log} says at which line"
        )
        return ExportError(f"the process that built {job.name} was ended by {how} while {doing}", fix=fix)
    return ExportError(
        f"the process that built {job.name} ended with exit status {exitcode} and no result while {doing}"
    )
