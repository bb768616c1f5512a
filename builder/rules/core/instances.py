"""`instance_group`: where a model runs, and on a server with how many GPUs."""

from collections.abc import Iterator
from typing import Final

from builder.rules import parameters
from builder.rules.core.server import Server
from builder.rules.core.tensors import TENSORRT
from builder.rules.refusal import Config, Place, Refusal

AUTO: Final = "KIND_AUTO"
_MOST: Final = 2**31


def check(config: Config, server: Server) -> Iterator[Refusal]:
    """Yield what the core has against each group."""
    for position, group in enumerate(config.get("instance_group") or ()):
        at: Place = ("instance_group", position)
        whose = f"instance group {name_of(config, position)} of model {config['name']}"
        yield from _device(group, at, whose, server)
        yield from _profile(config, group, at, whose)


def name_of(config: Config, position: int) -> str:
    """Return what the server calls a group, with or without a name of its own."""
    return config["instance_group"][position].get("name") or f"{config['name']}_{position}"


def wants_gpu(group: Config, gpus: int | None) -> bool:
    """Return whether a server with this many GPUs puts `group` on one."""
    kind, listed = group.get("kind") or AUTO, [int(gpu) for gpu in group.get("gpus") or ()]
    if kind != AUTO:
        return bool(kind == "KIND_GPU")
    return gpus is None or (gpus > 0 and all(gpu < gpus for gpu in listed))


def _device(group: Config, at: Place, whose: str, server: Server) -> Iterator[Refusal]:
    kind, listed = group.get("kind") or AUTO, [int(gpu) for gpu in group.get("gpus") or ()]
    if isinstance(kind, int):
        yield Refusal(f"{whose} has unexpected kind KIND_AUTO", code="C221", place=(*at, "kind"))
    elif wants_gpu(group, server.gpus):
        yield from _gpu(listed, at, whose, server)
    elif listed:
        resolved = "KIND_CPU" if kind == AUTO else kind
        yield Refusal(
            f"{whose} has kind {resolved} but specifies one or more GPUs",
            code="C213" if kind == AUTO else "C221",
            place=(*at, "gpus"),
            fix="this server has no such GPU" if kind == AUTO else "kind: KIND_GPU, or no `gpus`",
        )


def _gpu(listed: list[int], at: Place, whose: str, server: Server) -> Iterator[Refusal]:
    known = list(range(server.gpus)) if server.gpus is not None else None
    strange = [gpu for gpu in listed if gpu < 0 or (known is not None and gpu not in known)]
    if strange:
        yield Refusal(
            f"{whose} specifies invalid or unsupported gpu id {strange[0]}. GPUs with at least the minimum required "
            f"CUDA compute compatibility of {server.capability:f} are: {', '.join(map(str, known or ()))}",
            code="C213",
            place=(*at, "gpus"),
        )
    elif server.gpus == 0:
        yield Refusal(
            f"{whose} has kind KIND_GPU but no GPUs are available",
            code="C213",
            place=(*at, "kind"),
            fix="kind: KIND_AUTO takes a GPU where there is one, else the CPU",
        )


def _profile(config: Config, group: Config, at: Place, whose: str) -> Iterator[Refusal]:
    profiles, platform = group.get("profile") or (), config.get("platform") or ""
    if profiles and platform != TENSORRT:
        yield Refusal(
            f"{whose} and platform {platform}specifies profile field which is only supported for TensorRT models",
            code="C219",
            place=(*at, "profile"),
        )
        return
    for position, profile in enumerate(profiles):
        if words := _unreadable(profile, f"{whose} and platform {platform}"):
            yield Refusal(words, code="C219", place=(*at, "profile", position))


def _unreadable(profile: str, whose: str) -> str:
    number = parameters.integer(profile)
    if not profile:
        return "profile name must not be empty"
    if number is None:
        return f"unable to parse '{profile}': stoi"
    if not -_MOST <= number < _MOST:
        return f"profile {profile} is too large a number; a server that reads it ends, with all its models"
    if number < 0:
        return (
            f"{whose} specifies invalid profile {profile}. The field should contain the string representation of a "
            "non-negative integer."
        )
    return ""
