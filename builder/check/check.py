"""The hard gate: one served model against its reference."""

import os
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Final

from builder.check.against import apart
from builder.check.concurrency import Together, together
from builder.check.fitting import fit
from builder.check.hops import BETWEEN_SERVERS, FROM_REFERENCE, Ask, Stage, walk
from builder.check.port import Answer, NoAnswer, Served
from builder.check.ran_on import ran_on, together_on
from builder.check.recorded import edited, outdated
from builder.check.served import LiveModel, find
from builder.check.steps import Asked, Steps, ask_steps
from builder.compare import tolerances
from builder.errors import ExportError
from builder.feeds import cases
from builder.runtimes import open_file
from builder.server.client import Client, connected
from builder.server.endpoint import Endpoint
from builder.server.live_config import differences, read_config
from builder.spec.loaded import Feed, Loaded, Runner
from builder.spec.project import Backend
from builder.spec.record import VersionRecord
from builder.spec.releases import Release
from builder.spec.results import Against, Hop, ModelCheck, RanOn
from builder.spec.tensors import Signature

_SHORT: Final[Mapping[str, str]] = {"module": "PyTorch", "pipeline": "reference"}


def check(
    loaded: Loaded,
    record: VersionRecord,
    version_folder: Path,
    endpoint: Endpoint,
    *,
    release: Release,
    departures: tuple[str, ...],
    built_from: Mapping[str, str],
    on_step: Callable[[str], None],
    steps: Steps | None = None,
    against: Endpoint | None = None,
) -> ModelCheck:
    """Follow answers from the reference through the exported file to the live server, alone and in a crowd.

    Of a pipeline, each step is asked by itself first: the first that parts from the reference is where the numbers do.
    Another server is asked the same, all but the crowd, and held against the first.

    What differs is in the verdict: in its hops, and in its problems what no hop shows (a changed file,
    another live configuration, no batch ever formed).

    Args:
        loaded: the source; its reference gives the numbers to agree with.
        record: of the published version: which export of the source it is, under which name.
        version_folder: the version; the server is asked for its number and no other.
        endpoint: the live server.
        release: the target, to say what is proven about it.
        departures: how the repository differs from what was published, one sentence each; each is a problem.
        built_from: sha256 by path of the files that the build read, to tell an edited source; empty: not known.
        on_step: told what is being done.
        steps: of a pipeline.
        against: another live server; None: none.

    Raises:
        ServerError: a server does not answer, or does not serve this version.
        RepositoryError: config.pbtxt cannot be read.
    """
    started = time.monotonic()
    version = int(version_folder.name)
    ours = read_config(version_folder.parent / "config.pbtxt")
    with connected(endpoint) as client, _connected(against) as other:
        on_step("asking for its configuration")
        live = find(client, record.model, version, record.signature)
        there = find(other, record.model, version, record.signature) if other is not None else None
        asked = ask_steps(loaded, steps, client, other, on_step) if steps is not None else Asked()
        file = Backend.of_triton(record.backend).filename if steps is None else "the whole way"
        on_step(f"comparing {version_folder.name}/{file} hop by hop")
        walked = _hops(loaded, record, version_folder, live, there, steps)
        on_step("sending many requests at once")
        crowd = _crowd(loaded, record, live)
    found = (*asked.alone, *walked[: len(FROM_REFERENCE)], crowd.hop)
    between = (*asked.between, *walked[len(FROM_REFERENCE) :])
    backends = _backends(record, steps)
    return ModelCheck(
        model=record.model,
        version=version,
        reference=loaded.reference_name,
        hops=(*found, *between),
        ran_on=_ran_on(loaded, backends, live, release),
        against=None
        if there is None
        else Against(
            server=there.client.endpoint.description,
            ran_on=_ran_on(loaded, backends, there, release),
            outputs=apart(between),
            notes=differences(ours, there.config),
        ),
        largest_batch=crowd.largest_batch if _batches(live.config) else None,
        problems=(
            *departures,
            *(outdated(record, loaded) if steps is None else ()),  # of steps, `departures` says it
            *edited(built_from, loaded, found, version=version),
            *differences(ours, live.config),
            *no_batch(crowd, live.config),
        ),
        seconds=time.monotonic() - started,
    )


def no_batch(crowd: Together, config: Any) -> tuple[str, ...]:
    """Return the failure of a server that should have batched and never did; nothing otherwise."""
    if not _batches(config) or crowd.largest_batch > 1:
        return ()
    delay_us = config.dynamic_batching.max_queue_delay_microseconds
    sent = f"{crowd.requests} single-row requests, up to {crowd.concurrency} at once"
    settings = f"max_batch_size {config.max_batch_size}, queue delay {delay_us} us"
    return (f"no batch was ever formed: {sent}, each ran alone ({settings})",)


def _connected(against: Endpoint | None) -> AbstractContextManager[Client | None]:
    return nullcontext() if against is None else connected(against)


def _hops(
    loaded: Loaded,
    record: VersionRecord,
    folder: Path,
    live: LiveModel,
    there: LiveModel | None,
    steps: Steps | None,
) -> tuple[Hop, ...]:
    """Return the hops from the reference, then those between the two servers, where there are two."""
    model, signature, backend = loaded.model, record.signature, Backend.of_triton(record.backend)
    ask_file = (
        partial(_ask_file, steps.files)
        if steps is not None
        else _opened(backend, folder / backend.filename, signature)
    )
    stages: Mapping[Stage, Ask] = {
        "reference": loaded.reference,
        "file": ask_file,
        "grpc": live.grpc,
        "http": live.http,
        **({} if there is None else {"other grpc": there.grpc, "other http": there.http}),
    }
    names: Mapping[Stage, str] = {
        "reference": _SHORT.get(loaded.kind, loaded.reference_name),
        "file": backend.filename if steps is None else "files",
        "grpc": "gRPC",
        "http": "HTTP",
        "other grpc": "gRPC (against)",
        "other http": "HTTP (against)",
    }
    fitted = fit(cases(model, loaded.signature, loaded.samples), model, signature, live.config.max_batch_size)
    hops = FROM_REFERENCE if there is None else (*FROM_REFERENCE, *BETWEEN_SERVERS)
    return walk(fitted, stages, names, tolerances(model, signature), hops)


def _opened(backend: Backend, file: Path, signature: Signature) -> Ask:
    try:
        run = open_file(backend, file, signature, threads=_cores())
    except (
        ExportError
    ) as error:  # a file that its runtime refuses fails its hops; other models are still checked
        refusal = NoAnswer(error.what)
        return lambda _: refusal
    return lambda feed: _ask_file(run, feed)


def _ask_file(run: Runner, feed: Feed) -> Answer:
    try:
        return run(feed)
    except Exception as error:  # noqa: BLE001 - runtimes share no class of error; it is this hop's finding
        return NoAnswer(f"{type(error).__name__}: {error}")


def _crowd(loaded: Loaded, record: VersionRecord, live: LiveModel) -> Together:
    served: Served = live
    return together(
        loaded,
        served,
        tolerances(loaded.model, record.signature),
        max_batch_size=live.config.max_batch_size,
        must_batch=_batches(live.config),
    )


def _ran_on(loaded: Loaded, backends: tuple[Backend, ...], live: LiveModel, release: Release) -> RanOn:
    endpoint = live.client.endpoint
    ran = together_on(
        ran_on(
            one,
            live.server,
            endpoint.runtime(one.triton),
            release,
            stand_in=endpoint.has_stand_ins and one.is_graph,  # the Python backend is Triton's own there
        )
        for one in backends
    )
    return replace(ran, not_proven=(*loaded.not_proven, *ran.not_proven))


def _backends(record: VersionRecord, steps: Steps | None) -> tuple[Backend, ...]:
    return (Backend.of_triton(record.backend),) if steps is None else steps.backends


def _batches(config: Any) -> bool:
    return bool(config.HasField("dynamic_batching") and config.max_batch_size > 1)


def _cores() -> int:
    return len(os.sched_getaffinity(0))
