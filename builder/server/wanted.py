"""What a server is asked to load, checked before anything is fetched or started."""

import re
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from builder.errors import ServerError
from builder.server.serving import Serving

_COMMENT: Final = re.compile(r"#.*")
_TENSORS: Final = tuple(re.compile(rf"\b{word}\s*:?\s*[\[{{]") for word in ("input", "output"))


def wanted_models(serving: Serving) -> tuple[str, ...]:
    """Return the models that must load.

    Raises:
        ServerError: no such repository, no model in it, or not the one that was asked for.
    """
    root = serving.repository
    if not root.is_dir():
        raise ServerError(f"there is no model repository at {root}", fix="run `trb build` first")
    there = model_folders(root)
    names = there if serving.models is None else tuple(serving.models)
    if serving.control == "none" and not names:
        raise ServerError(f"{root} holds no model", fix="run `trb build` first")
    if absent := [name for name in names if name not in there]:
        raise ServerError(
            f"{root} has no model {', '.join(absent)}",
            fix=f"run `trb build`; it has: {', '.join(there) or 'none'}",
        )
    return names


def require_free(serving: Serving) -> None:
    """Check that nobody on this machine listens on a port that was asked for.

    Raises:
        ServerError: somebody does.
    """
    for port in filter(None, (serving.http_port, serving.grpc_port)):
        if not is_free(port):
            raise ServerError(f"port {port} is in use", fix="free it, or choose another port")


def model_folders(repository: Path) -> tuple[str, ...]:
    """Return what Triton takes for models: every folder in the repository."""
    return tuple(sorted(path.name for path in repository.iterdir() if path.is_dir()))


def configs_are_complete(repository: Path, models: Sequence[str] | None) -> bool:
    """Return whether there is a model, and each one names its own inputs and outputs; `models` empty: any may come."""
    names = models or model_folders(repository)
    return bool(names) and all(_names_its_tensors(repository / name / "config.pbtxt") for name in names)


def is_free(port: int) -> bool:
    """Return whether a server could listen on 127.0.0.1:`port` now."""
    with socket.socket() as one:
        # As the server does: old connections do not count.
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            one.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _names_its_tensors(config: Path) -> bool:
    try:
        text = _COMMENT.sub("", config.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError):
        return False
    return all(pattern.search(text) for pattern in _TENSORS)
