"""Building the image on a Docker daemon."""

import json
import logging
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import IO, Any, Final

import docker.errors

from builder.errors import MissingTool
from builder.server.docker.daemon import Daemon, connected
from builder.server.docker.failures import said_plainly
from builder.server.docker.inside import answer
from builder.server.image.context import Context, context, dockerfile, packed
from builder.server.image.plan import Plan
from builder.server.image.steps import Steps
from builder.server.image.wheels import wheels

INPUTS_LABEL: Final = "trb.inputs"
_TIMEOUT_S: Final = 1800
"""Between two lines of a build: one step may say nothing for minutes."""
_PYTHONS: Final = ((3, 11), (3, 12))
_GLIBC: Final = (2, 35)
_PROBE: Final = (
    "import json, platform, sys; print(json.dumps([platform.machine(), platform.libc_ver()[1], "
    "platform.python_version()]))"
)
_log: Final = logging.getLogger("trb.image")

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """An image on a daemon."""

    tag: str
    id: str
    size_bytes: int
    labels: Mapping[str, str]
    is_new: bool
    """False: the tag had the same inputs already, and nothing was built."""


def build(plan: Plan, *, tag: str, network: str | None, say: Say, log: IO[bytes] | None) -> Image:
    """Build `plan` as `tag`, or find that it is there.

    Args:
        plan: what the image is to hold.
        tag: its name.
        network: of the build, as for `docker build`.
        say: told, in a few words, what is being done.
        log: takes everything that the build says, and holds none of it back.

    Raises:
        MissingTool: no daemon, no base image, no network, no wheel, no room.
        ServerError: the daemon does not answer, or a step fails for another reason.
    """
    with connected() as daemon:
        run = _Builder(daemon, network=network, steps=Steps(say, log, _log))
        say("preparing the base")
        alone = Context(files={"Dockerfile": dockerfile({"BASE": plan.base})}, inputs="")
        first = run.build(alone, target="python", base=plan.base)
        python = _require_usable(daemon, first, plan.base)
        say("resolving wheels")
        found = wheels(plan, ".".join(python.split(".")[:2]))
        made = context(plan, found, python=python, made_on=first)
        if (there := _existing(daemon, tag, made)) is not None:
            return there
        say("sending the build context")
        built = run.build(made, tag=tag, base=plan.base)
        return _image(daemon, built, tag, is_new=True)


@dataclass(frozen=True, slots=True)
class _Builder:
    daemon: Daemon
    network: str | None
    steps: Steps

    def build(self, made: Context, *, base: str, target: str | None = None, tag: str | None = None) -> str:
        """Return the id of what comes of a context."""
        pieces: Any = packed(made)  # sent as it is packed: the SDK passes on whatever comes in pieces
        with said_plainly("building the image", self.daemon.address):
            stream = self.daemon.client.api.build(
                fileobj=pieces,
                custom_context=True,
                target=target,
                tag=tag,
                network_mode=self.network,
                rm=True,
                forcerm=True,
                decode=True,
                timeout=_TIMEOUT_S,
            )
            return self.steps.follow(stream, base=base)


def _require_usable(daemon: Daemon, image: str, base: str) -> str:
    """Return the version of the Python in `image`, which is its base with Python on it.

    Raises:
        MissingTool: the server cannot run there.
    """
    with said_plainly("looking into the base image", daemon.address):
        said = answer(daemon, image, ["python3", "-c", _PROBE], name=base, user="0:0")
    try:
        machine, glibc, python = json.loads(said)
    except ValueError:
        raise MissingTool(f"the Python of {base} does not run: {said.strip()}", fix=_OTHER_BASE) from None
    if machine != "x86_64":
        raise MissingTool(f"the server is built for x86_64; {base} is for {machine}", fix=_OTHER_BASE)
    if tuple(map(int, glibc.split("."))) < _GLIBC:
        raise MissingTool(f"the server needs glibc 2.35 or newer; {base} has {glibc}", fix=_OTHER_BASE)
    if tuple(map(int, python.split(".")[:2])) not in _PYTHONS:
        raise MissingTool(
            f"the server's stub takes numpy 1, which runs on Python 3.11 and 3.12; {base} has {python}",
            fix=_OTHER_BASE,
        )
    return str(python)


def _existing(daemon: Daemon, tag: str, made: Context) -> Image | None:
    with said_plainly("looking for the image", daemon.address), suppress(docker.errors.ImageNotFound):
        there = _image(daemon, tag, tag, is_new=False)
        return there if there.labels.get(INPUTS_LABEL) == made.inputs else None
    return None


def _image(daemon: Daemon, name: str, tag: str, *, is_new: bool) -> Image:
    facts: Any = daemon.client.images.get(name).attrs
    return Image(
        tag=tag,
        id=str(facts["Id"]),
        size_bytes=int(facts["Size"]),
        labels=dict(facts["Config"]["Labels"] or {}),
        is_new=is_new,
    )


_OTHER_BASE: Final = "use a --base such as debian:bookworm-slim or python:3.11-slim, for linux/amd64"
