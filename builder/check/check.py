"""The hard gate: one served model against its reference."""

import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from builder.check.concurrency import Together, together
from builder.check.fitting import fit
from builder.check.hops import Ask, Stage, walk
from builder.check.live_config import differences, read_config
from builder.check.port import Answer, NoAnswer, Served
from builder.check.ran_on import ran_on
from builder.check.recorded import departures
from builder.check.served import LiveModel, find
from builder.compare import tolerances
from builder.feeds import cases
from builder.runtimes import open_file
from builder.server.client import connected
from builder.server.endpoint import Endpoint
from builder.spec.loaded import Feed, Loaded, Runner
from builder.spec.project import Backend
from builder.spec.record import VersionRecord
from builder.spec.releases import Release
from builder.spec.results import Hop, ModelCheck
from builder.spec.tensors import Signature

_SHORT: Final[Mapping[str, str]] = {"module": "PyTorch"}


def check(
    loaded: Loaded,
    backend: Backend,
    triton_name: str,
    version_folder: Path,
    version: int,
    endpoint: Endpoint,
    *,
    release: Release,
    record: VersionRecord | None,
    on_step: Callable[[str], None],
) -> ModelCheck:
    """Follow answers from the reference through the exported file to the live server, alone and in a crowd.

    What differs is in the verdict: in its hops, and in its problems what no hop shows (a changed file,
    another live configuration, no batch ever formed).

    Args:
        loaded: the source; its reference gives the numbers to agree with.
        backend: which of its exports is served.
        triton_name: its name in the repository.
        version_folder: the published version.
        version: its number; the server is asked for it and no other.
        endpoint: the live server.
        release: the target, to say what is proven about it.
        record: what the version folder's record says; None: it has none.
        on_step: told what is being done.

    Raises:
        ServerError: the server does not answer, or does not serve this version.
        RepositoryError: config.pbtxt cannot be read.
        ExportError: the file's own runtime refuses it.
    """
    started = time.monotonic()
    ours = read_config(version_folder.parent / "config.pbtxt")
    signature = record.signature if record else loaded.signature
    run = open_file(backend, version_folder / backend.filename, signature, threads=_cores())
    with connected(endpoint) as client:
        on_step("asking for its configuration")
        live = find(client, triton_name, version)
        hops = _hops(loaded, backend, signature, run, live, on_step)
        on_step("many requests at once")
        crowd = _crowd(loaded, signature, live)
        stand_in = endpoint.kind == "embedded"
        ran = ran_on(
            backend, client.server_version(), endpoint.runtime(backend.triton), release, stand_in=stand_in
        )
    return ModelCheck(
        model=triton_name,
        version=version,
        reference=loaded.reference_name,
        hops=(*hops, crowd.hop),
        ran_on=ran,
        largest_batch=crowd.largest_batch if _batches(live.config) else None,
        problems=(
            *departures(version_folder, record, loaded),
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


def _hops(
    loaded: Loaded,
    backend: Backend,
    signature: Signature,
    run: Runner,
    live: LiveModel,
    on_step: Callable[[str], None],
) -> tuple[Hop, ...]:
    model = loaded.model
    fitted = fit(cases(model, loaded.samples), model, signature, live.config.max_batch_size)
    stages: Mapping[Stage, Ask] = {
        "reference": loaded.reference,
        "file": lambda feed: _ask_file(run, feed),
        "grpc": live.grpc,
        "http": live.http,
    }
    names: Mapping[Stage, str] = {
        "reference": _SHORT.get(loaded.kind, loaded.reference_name),
        "file": backend.filename,
        "grpc": "gRPC",
        "http": "HTTP",
    }
    return walk(fitted, stages, names, tolerances(model, signature), on_step)


def _ask_file(run: Runner, feed: Feed) -> Answer:
    try:
        return run(feed)
    except Exception as error:  # noqa: BLE001 - runtimes share no class of error; it is this hop's finding
        return NoAnswer(f"{type(error).__name__}: {error}")


def _crowd(loaded: Loaded, signature: Signature, live: LiveModel) -> Together:
    served: Served = live
    return together(
        loaded,
        served,
        tolerances(loaded.model, signature),
        max_batch_size=live.config.max_batch_size,
        must_batch=_batches(live.config),
    )


def _batches(config: Any) -> bool:
    return bool(config.HasField("dynamic_batching") and config.max_batch_size > 1)


def _cores() -> int:
    return len(os.sched_getaffinity(0))
