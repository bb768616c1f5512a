"""The image that the container is made of: there, or pulled; for this machine; and what runs in it."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import docker.errors

from builder.errors import ServerError
from builder.server.docker.daemon import Daemon
from builder.server.docker.failures import explained, said_plainly
from builder.server.docker.pulling import progress
from builder.spec.releases import Release, releases

if TYPE_CHECKING:
    from collections.abc import Callable

    from docker.models.images import Image

OFFICIAL: Final = "nvcr.io/nvidia/tritonserver:{release}-py3"
RELEASE_LABEL: Final = "trb.triton"
"""On an image of ours: the release whose limits its stand-ins enforce."""
PACKAGES_LABEL: Final = "trb.packages"
"""On an image of ours: JSON of the versions of its Python packages, by name."""
RUNTIMES_LABEL: Final = "trb.runtimes"
"""On an image of ours: JSON of the versions by package, by backend."""
_RELEASE_VARIABLE: Final = "NVIDIA_TRITON_SERVER_VERSION"
"""In the official image: its release."""
_ARCHITECTURES: Final = {"x86_64": "amd64", "aarch64": "arm64"}


@dataclass(frozen=True, slots=True)
class Found:
    """An image that the daemon has."""

    name: str
    id: str
    has_stand_ins: bool
    """Whether our stand-ins answer in it for Triton's own backends."""
    runtimes: Mapping[str, Mapping[str, str]]
    """Versions by package, by backend; empty: not known."""
    packages: Mapping[str, str] = field(default_factory=dict)
    """The versions of the Python packages of an image of ours, by name."""

    @property
    def python(self) -> str:
        """The Python for its models, such as 3.10; empty: not known."""
        return ".".join(self.runtimes.get("python", {}).get("python", "").split(".")[:2])


def image_name(wanted: str | None, release: Release) -> str:
    """Return the image that is meant; without a wish, the official one of the release."""
    return wanted or OFFICIAL.format(release=release.name)


def find_image(daemon: Daemon, name: str, say: "Callable[[str], None]") -> Found:
    """Return the image called `name`, pulled where the daemon does not have it.

    Raises:
        ServerError: there is no such image, it cannot be pulled, or it is for another architecture.
    """
    image = _there(daemon, name) or _pulled(daemon, name, say)
    attributes = image.attrs
    with said_plainly("asking for its architecture", daemon.address):
        machine = str(daemon.client.info()["Architecture"])
    built_for = str(attributes.get("Architecture") or "")
    if built_for and built_for != (ours := _ARCHITECTURES.get(machine, machine)):
        raise ServerError(
            f"the image {name} is built for {built_for}, and the Docker daemon's machine is {ours}",
            fix=f"`docker pull --platform linux/{ours} {name}`, or name another image with --image",
        )
    config = attributes.get("Config") or {}
    labels = config.get("Labels") or {}
    return Found(
        name=name,
        id=str(image.id),
        has_stand_ins=RELEASE_LABEL in labels,
        packages=_versions(_labelled(labels.get(PACKAGES_LABEL))),
        runtimes=_runtimes(labels.get(RUNTIMES_LABEL)) or _official(config.get("Env") or ()),
    )


def _there(daemon: Daemon, name: str) -> "Image | None":
    with said_plainly(f"looking for the image {name}", daemon.address):
        try:
            return daemon.client.images.get(name)
        except docker.errors.ImageNotFound:
            return None


def _pulled(daemon: Daemon, name: str, say: "Callable[[str], None]") -> "Image":
    say(f"pulling {name}")
    with said_plainly(f"pulling {name}", daemon.address):
        try:
            events = daemon.client.api.pull(name, stream=True, decode=True)
            for line in progress(_sound(name, events)):
                say(f"pulling {name}: {line}")
        except docker.errors.DockerException as error:  # the SDK will not ask for some names
            raise _not_pulled(name, explained(error)) from error
    found = _there(daemon, name)
    if found is None:
        raise _not_pulled(name, "it was pulled, and is not there")
    return found


def _sound(name: str, events: Iterable[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """Yield the events of a pull up to the one in which the daemon gives up."""
    for event in events:
        if "error" in event:
            raise _not_pulled(name, str(event["error"]))
        yield event


def _not_pulled(name: str, said: str) -> ServerError:
    return ServerError(
        f"the Docker daemon does not have the image {name}, and cannot pull it: {said}",
        fix="check the name, the network and `docker login`; or build our own small image with `trb image build` "
        "and name it with --image",
    )


def _runtimes(text: str | None) -> Mapping[str, Mapping[str, str]]:
    """Return what a label says of versions by backend; nothing where it does not."""
    return {
        str(backend): _versions(found)
        for backend, found in _labelled(text).items()
        if isinstance(found, dict)
    }


def _versions(found: Mapping[str, Any]) -> Mapping[str, str]:
    return {str(name): version for name, version in found.items() if isinstance(version, str)}


def _labelled(text: str | None) -> Mapping[str, Any]:
    try:
        found = json.loads(text or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _official(variables: Iterable[str]) -> Mapping[str, Mapping[str, str]]:
    """Return what the release table says of an official image, by the release that it names."""
    named = dict(one.partition("=")[::2] for one in variables).get(_RELEASE_VARIABLE)
    release = next((one for one in releases() if one.name == named), None)
    if release is None:
        return {}
    torch = {"torch": release.torch} if release.torch else {}
    return {
        "onnxruntime": {"onnxruntime": release.onnxruntime},
        "pytorch": torch,
        "python": {"python": release.python},
    }
