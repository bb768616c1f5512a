"""The versions that really ran, beside the target's."""

from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import version
from platform import python_version
from typing import Final

from builder.spec.project import Backend
from builder.spec.releases import Release
from builder.spec.results import RanOn
from builder.spec.tensors import unique

_PACKAGE: Final[Mapping[Backend, str]] = {
    Backend.ONNX: "onnxruntime",
    Backend.TORCHSCRIPT: "torch",
    Backend.PYTHON: "python",
}
"""What runs the model's file."""


def ran_on(
    backend: Backend, server: str, runtime: Mapping[str, str], release: Release, *, stand_in: bool
) -> RanOn:
    """Return what ran and what is therefore not proven about `release`.

    Args:
        backend: of the model.
        server: version of the live server core.
        runtime: versions by package in the live server, empty when not known.
        release: the target.
        stand_in: whether a stand-in of ours answered for Triton's own backend.
    """
    package = _PACKAGE[backend]
    target = {
        "server": release.server,
        "python": release.python,
        "onnxruntime": release.onnxruntime,
        "torch": release.torch or "unknown",
    }
    return RanOn(
        server=server,
        runtime=_runtime(package, runtime, stand_in=stand_in),
        local=_local(package),
        target=target,
        not_proven=tuple(
            _not_proven(backend, server, runtime.get(package), target, release, stand_in=stand_in)
        ),
    )


def _local(package: str) -> Mapping[str, str]:
    if package == "python":
        return {"python": python_version(), "numpy": version("numpy")}
    return {name: version(name) for name in dict.fromkeys(("torch", package))}


def together_on(ran: Iterable[RanOn]) -> RanOn:
    """Return what the steps of a pipeline ran on, as one."""
    all_of_them = tuple(ran)
    return RanOn(
        server=all_of_them[0].server,
        runtime=", ".join(unique(one.runtime for one in all_of_them)),
        local={name: version for one in all_of_them for name, version in one.local.items()},
        target=all_of_them[0].target,
        not_proven=unique(what for one in all_of_them for what in one.not_proven),
    )


def is_version(ran: str, target: str) -> bool:
    """Return whether `ran` (2.5.1+cpu) is the version `target` (2.5) as far as that goes."""
    public = ran.split("+", maxsplit=1)[0]
    return public == target or public.startswith(f"{target}.")


def _runtime(package: str, runtime: Mapping[str, str], *, stand_in: bool) -> str:
    if package not in runtime:
        return "unknown"
    beside = ", ".join(f"{name} {version}" for name, version in runtime.items() if name != package)
    told = f"{package} {runtime[package]}{' (stand-in)' if stand_in else ''}"
    return f"{told}, {beside}" if package == "python" and beside else told


def _not_proven(
    backend: Backend,
    server: str,
    ran: str | None,
    target: Mapping[str, str],
    release: Release,
    *,
    stand_in: bool,
) -> Iterator[str]:
    package = _PACKAGE[backend]
    if not is_version(server, target["server"]):
        yield f"on Triton {target['server']} of release {release.name}: {server} answered"
    if ran is None:
        yield f"on {package} {target[package]} of release {release.name}: what ran is not known"
    elif not is_version(ran, target[package]):
        yield f"on {package} {target[package]} of release {release.name}: the server ran {ran}"
    if stand_in:
        yield f"in Triton's own {backend.triton} backend: our stand-in ran in its place"
