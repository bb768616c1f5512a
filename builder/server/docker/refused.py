"""Why the daemon would not make or start a container, with the next step."""

from typing import Final

from builder.errors import ServerError

_NO_RIGHT: Final = "error setting rlimit"


class UlimitsRefused(ServerError):
    """The daemon has not the right to raise a limit for a process; a rootless one never has."""


_KNOWN: Final = (
    ("bind source path does not exist", "does not see the repository", "copy the models in instead: --copy"),
    (
        "could not select device driver",
        "has no GPU to give",
        "install the NVIDIA Container Toolkit on its machine, or leave out --gpus",
    ),
    (
        "executable file not found",
        "finds no `tritonserver` in the image",
        "name an image of Triton with --image, or leave it out for the official one",
    ),
    ("port is already allocated", "cannot publish the port: it is in use", "free it, or choose another port"),
    ("address already in use", "cannot publish the port: it is in use", "free it, or choose another port"),
    (
        "cannot assign requested address",
        "cannot publish there",
        "name an address of the daemon's own machine with --publish",
    ),
    ("Minimum memory limit", "cannot run a server in so little memory", "raise --memory"),
    ("Range of CPUs", "has not that many cores", "lower --cpus"),
    ("no space left on device", "has no space left", "`docker system df` shows what takes it"),
)
"""What the daemon says, what that means, and what to do."""


def refusal(said: str, image: str) -> ServerError:
    """Return the error for a container that was not made or started.

    Args:
        said: the daemon's own words.
        image: what the container was to be made of.
    """
    if _NO_RIGHT in said:
        return UlimitsRefused(
            f"the Docker daemon may not raise limits: {said}", fix="start it with that right"
        )
    for sign, meaning, fix in _KNOWN:
        if sign in said:
            return ServerError(f"the Docker daemon {meaning}: {said}", fix=fix)
    return ServerError(
        f"the Docker daemon did not start a container of {image}: {said}",
        fix=f"`docker run --rm {image} tritonserver --help` has to work",
    )
