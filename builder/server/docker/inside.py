"""What is in an image: it is asked, in a container of its own."""

import json
import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import docker.errors
import requests

from builder.errors import ServerError
from builder.server.docker.container import remove
from builder.server.docker.daemon import Daemon
from builder.server.docker.failures import explained, said_plainly
from builder.server.docker.images import Found
from builder.server.docker.owner import labels
from builder.server.docker.refused import refusal
from builder.server.docker.signals import as_exceptions

if TYPE_CHECKING:
    from docker.models.containers import Container

_TIMEOUT_S: Final = 120
_LAST: Final = 500
_FIND_PYTHON: Final = 'PATH="/opt/tritonserver/python/bin:$PATH" exec python3 -E -c "$@"'
"""In an image of ours the models' Python stands there; in any other it is the first on PATH."""
_ASK: Final = """
import importlib.util, json, sys
sys.path[:] = [folder for folder in sys.path if folder]
def has(name):
    try:
        return importlib.util.find_spec(name) is not None
    except (ImportError, ValueError):
        return False
print(json.dumps(["%d.%d" % sys.version_info[:2], {name: has(name) for name in sys.argv[1:]}]))
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inside:
    """What Python models find in an image."""

    python: str
    """Such as 3.10."""
    packages: Mapping[str, bool]
    """Whether each package that was asked for is there, by the outermost part of its module's name."""


def look_inside(daemon: Daemon, image: Found, packages: Collection[str]) -> Inside:
    """Return the Python of `image`, and which of `packages` it finds; nothing of the user's runs in it.

    Raises:
        ServerError: the image cannot be asked.
    """
    words = ["sh", "-c", _FIND_PYTHON, "sh", _ASK, *sorted(packages)]
    with said_plainly(f"asking {image.name} for its packages", daemon.address):
        said = answer(daemon, image.id, words, name=image.name)
    try:
        python, found = json.loads(said.rstrip().rpartition("\n")[2])
        return Inside(python=str(python), packages={name: bool(found[name]) for name in packages})
    except (ValueError, TypeError, KeyError):
        raise _silent(image.name, said.strip()[-_LAST:]) from None


def answer(daemon: Daemon, image: str, words: Sequence[str], *, name: str, user: str | None = None) -> str:
    """Return what a program prints in a container that does not stay; all that it says where it fails.

    Args:
        daemon: that has the image.
        image: its id.
        words: the program and its arguments.
        name: of the image, for people.
        user: that the program runs as; None: the image's.

    Raises:
        ServerError: the daemon does not make the container, or the program does not end.
    """
    with as_exceptions() as signals, signals.held():
        container = _made(daemon, image, words, name, user)
        try:
            with signals.let_through():
                return _printed(container, name)
        finally:
            remove(container)


def _made(daemon: Daemon, image: str, words: Sequence[str], name: str, user: str | None) -> "Container":
    try:
        return daemon.client.containers.create(
            image,
            list(words[1:]),
            entrypoint=[words[0]],
            name=f"trb-{secrets.token_hex(4)}",
            network_disabled=True,
            user=user,
            labels=labels(Path.cwd(), detached=False),
        )
    except docker.errors.APIError as error:
        raise refusal(explained(error), name) from error


def _printed(container: "Container", name: str) -> str:
    container.start()
    try:
        code = container.wait(timeout=_TIMEOUT_S)["StatusCode"]
    except (requests.Timeout, requests.ConnectionError):
        container.reload()  # a daemon that hangs does not tell this either
        if container.status != "running":
            raise
        raise _silent(name, f"no word in {_TIMEOUT_S} s") from None
    return container.logs(stderr=code != 0).decode(errors="replace")


def _silent(name: str, why: str) -> ServerError:
    return ServerError(
        f"{name} did not say which Python packages it has: {why}",
        fix=f"docker run --rm --entrypoint python3 {name} -c 'print(1)' has to work",
    )
