"""One container of ours: created, filled, started, removed."""

import http.client
import os
import secrets
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import docker.errors
from docker.types import DeviceRequest, Mount, Ulimit

from builder.errors import ServerError
from builder.server.docker.command import GRPC, HTTP, METRICS, MODELS, command
from builder.server.docker.copied import tarred
from builder.server.docker.daemon import Daemon
from builder.server.docker.failures import explained, said_plainly
from builder.server.docker.gpus import Gpus
from builder.server.docker.images import Found
from builder.server.docker.owner import labels
from builder.server.docker.refused import refusal
from builder.server.docker.shm import shm_bytes
from builder.server.serving import Serving

if TYPE_CHECKING:
    from collections.abc import Callable

    from docker.models.containers import Container

_STACK_BYTES: Final = 64 << 20
ULIMITS: Final = (
    Ulimit(name="memlock", soft=-1, hard=-1),
    Ulimit(name="stack", soft=_STACK_BYTES, hard=_STACK_BYTES),
)
"""What NVIDIA starts its containers with."""
_ALL: Final = -1
AS_ASKED: Final = "--copy asks for that"


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What a container is made of, and for."""

    daemon: Daemon
    image: Found
    serving: Serving
    names: Sequence[str]
    """The models that must load."""
    gpus: Gpus | None
    """That it is given."""
    copies: bool
    """Whether the models are copied in: the daemon could not see all of them through a mount."""
    detached: bool
    """Whether it outlives this process."""

    @property
    def command(self) -> list[str]:
        """The server's command line."""
        return command(self.serving, on_gpu=self.gpus is not None, in_stubs=self.image.has_stand_ins)


def create(order: Order, ulimits: Sequence[Ulimit]) -> "Container":
    """Return a container of ours; it is empty and not started.

    Raises:
        ServerError: the daemon refuses.
    """
    serving = order.serving
    wishes = {
        "labels": labels(serving.repository, detached=order.detached),
        "mounts": [] if order.copies else [_mount(serving.repository)],
        "ports": _ports(serving),
        "ulimits": list(ulimits),
        **_limits(order),
    }
    name = f"trb-{secrets.token_hex(4)}"
    with said_plainly("making the container", order.daemon.address):
        try:
            return order.daemon.client.containers.create(order.image.id, order.command, name=name, **wishes)
        except docker.errors.APIError as error:
            raise refusal(explained(error), order.image.name) from error


def fill(order: Order, container: "Container", say: "Callable[[str], None]") -> None:
    """See to it that the models are in a container that is not started.

    Raises:
        ServerError: a file cannot be read, or the daemon does not see the repository.
    """
    if order.copies:
        say(f"copying {', '.join(order.names)} into the container")
        _copy(order, container)
    else:
        _require_seen(order, container)


def start(order: Order, container: "Container") -> None:
    """Start a container that was made.

    Raises:
        UlimitsRefused: the daemon may not raise limits.
        ServerError: the daemon does not start it.
    """
    with said_plainly("starting the container", order.daemon.address):
        try:
            container.start()
        except docker.errors.APIError as error:
            raise refusal(explained(error), order.image.name) from error
        container.reload()


def remove(container: "Container") -> None:
    """End a container at once and remove it with all that it wrote; one that is gone already is no matter."""
    with suppress(docker.errors.NotFound):
        container.remove(force=True, v=True)


def published(container: "Container") -> dict[int, int]:
    """Return the port of the daemon's machine by the container's own, of one that runs."""
    bound = container.attrs["NetworkSettings"]["Ports"]
    return {port: int(bound[f"{port}/tcp"][0]["HostPort"]) for port in (HTTP, GRPC, METRICS)}


def why_copied(daemon: Daemon, serving: Serving, names: Sequence[str]) -> str:
    """Return why the models are copied in; empty: the daemon sees all of them through a mount."""
    if not daemon.sees_our_files:
        return "the daemon does not see the files of this machine"
    if _leads_out(serving.repository, names):
        return "a link in a model leads out of the repository"
    return AS_ASKED if serving.container.copies else ""


def _leads_out(repository: Path, names: Sequence[str]) -> bool:
    """Whether a link in a model leads out of the repository, to where a mount does not reach."""
    root = repository.resolve()
    for name in names:
        for folder, folders, files in os.walk(root / name):
            paths = (Path(folder), *(Path(folder) / one for one in (*folders, *files)))
            if any(not path.resolve().is_relative_to(root) for path in paths if path.is_symlink()):
                return True
    return False


def _mount(repository: Path) -> Mount:
    return Mount(MODELS, str(repository.resolve()), type="bind", read_only=True)


def _ports(serving: Serving) -> dict[str, tuple[str, int | None]]:
    wanted = {HTTP: serving.http_port, GRPC: serving.grpc_port, METRICS: None}
    return {f"{port}/tcp": (serving.container.publish, ours) for port, ours in wanted.items()}


def _limits(order: Order) -> dict[str, Any]:
    options, repository = order.serving.container, order.serving.repository
    shm = options.shm_bytes or shm_bytes(repository, order.names, all_in_stubs=order.image.has_stand_ins)
    return {
        "shm_size": min(shm, options.memory_bytes or shm),
        "mem_limit": options.memory_bytes,
        "memswap_limit": options.memory_bytes,  # no swap: it would show up as latency
        "nano_cpus": None if options.cpus is None else int(options.cpus * 1e9),
        "device_requests": _devices(order.gpus),
    }


def _devices(gpus: Gpus | None) -> list[DeviceRequest]:
    if gpus is None:
        return []
    capabilities = [["gpu"]]
    if gpus.ids:
        return [DeviceRequest(device_ids=list(gpus.ids), capabilities=capabilities)]
    return [DeviceRequest(count=gpus.count or _ALL, capabilities=capabilities)]


def _copy(order: Order, container: "Container") -> None:
    data = tarred(order.serving.repository, order.names, under=MODELS.strip("/"))
    with said_plainly("copying the models into the container", order.daemon.address):
        container.put_archive("/", data)


def _require_seen(order: Order, container: "Container") -> None:
    """Check that what is mounted is the repository: a daemon on another filesystem has its own at the same path."""
    with said_plainly("looking for the models in the container", order.daemon.address):
        for name in order.names:
            try:
                _require_path(order.daemon, container, f"{MODELS}/{name}")
            except docker.errors.NotFound:
                path = order.serving.repository / name
                raise ServerError(
                    f"the Docker daemon does not see {path}: its filesystem is not this one",
                    fix="copy the models into the container instead: --copy",
                ) from None


def _require_path(daemon: Daemon, container: "Container", path: str) -> None:
    """Raise as `get_archive` where there is no such path; where there is one, nothing of it is read."""
    api = daemon.client.api
    url = f"{api.base_url}/v{api.api_version}/containers/{container.id}/archive"
    if api.head(url, params={"path": path}, timeout=api.timeout).status_code != http.client.OK:
        container.get_archive(path)  # an answer to HEAD has no words
