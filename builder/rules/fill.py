"""What the server core fills into a config before any backend sees it.

Source: AutoCompleteBackendFields in triton-inference-server/core, src/model_config_utils.cc; tried against server
2.51.0 on some thousand folders.
"""

from collections.abc import Collection
from typing import Any, Final, NamedTuple

from builder.rules.core import Server
from builder.rules.refusal import Config, Refusal

_ANY: Final = Server()


class _Known(NamedTuple):
    backend: str
    filename: str
    platform: str = ""
    may_be_folder: bool = True


_TENSORFLOW: Final = (
    _Known("tensorflow", "model.savedmodel", "tensorflow_savedmodel"),
    _Known("tensorflow", "model.graphdef", "tensorflow_graphdef", may_be_folder=False),
)
"""The last that is there counts."""
_KNOWN: Final = (
    _Known("tensorrt", "model.plan", "tensorrt_plan", may_be_folder=False),
    _Known("onnxruntime", "model.onnx", "onnxruntime_onnx"),
    _Known("openvino", "model.xml"),
    _Known("pytorch", "model.pt", "pytorch_libtorch", may_be_folder=False),
    _Known("python", "model.py"),
)
"""In the order in which the core looks."""
_AOTI: Final = _Known("pytorch", "model.pt2", "torch_aoti", may_be_folder=False)
FILENAMES: Final = frozenset(one.filename for one in (*_TENSORFLOW, *_KNOWN, _AOTI))
"""What the core knows a model's file by."""


class First(NamedTuple):
    """What stands in the first of a model's subfolders, by name."""

    files: Collection[str] = ()
    folders: Collection[str] = ()


def filled(config: Config, *, folder: str, first: First, server: Server = _ANY) -> dict[str, Any] | Refusal:
    """Return `config` with its name, backend, platform and file name.

    Args:
        config: what config.pbtxt says; empty where there is none.
        folder: the name of the model's folder.
        first: what stands in the first of its subfolders.
        server: that which would load it.
    """
    found = {**config, "name": config.get("name") or folder}
    for key in ("backend", "platform", "default_model_filename"):
        found[key] = found.get(key) or ""
    _tensorflow(found, first)
    if found["platform"] in (one.platform for one in _TENSORFLOW):
        return found
    if not found["backend"]:
        _backend(found, first, server)
    if not any(found[key] for key in ("backend", "platform", "default_model_filename")):
        return _by_name(found, folder)
    _complete(found, server)
    return found


def _tensorflow(found: dict[str, Any], first: First) -> None:
    """Fill in what only TensorFlow models have, before anything else is looked at."""
    if not found["platform"] and found["backend"] in ("", "tensorflow"):
        for one in _TENSORFLOW:
            if _is_there(one, found, first, must_be_folder=one.filename == "model.savedmodel"):
                found["platform"] = one.platform
    for one in _TENSORFLOW:
        if found["platform"] == one.platform:
            found["backend"] = found["backend"] or one.backend
            found["default_model_filename"] = found["default_model_filename"] or one.filename


def _backend(found: dict[str, Any], first: First, server: Server) -> None:
    for one in (*_KNOWN, *([_AOTI] if server.has_aoti else [])):
        if (one.platform and found["platform"] == one.platform) or found[
            "default_model_filename"
        ] == one.filename:
            found["backend"] = one.backend
        elif not found["platform"] and _is_there(one, found, first):
            found["backend"], found["platform"] = one.backend, one.platform
        if found["backend"]:
            return


def _is_there(one: _Known, found: Config, first: First, *, must_be_folder: bool = False) -> bool:
    given = found["default_model_filename"]
    if given:
        return bool(given == one.filename)
    return (one.filename in first.folders and one.may_be_folder) or (
        one.filename in first.files and not must_be_folder
    )


def _complete(found: dict[str, Any], server: Server) -> None:
    known = next((one for one in _KNOWN if one.backend == found["backend"]), None)
    if known is None:
        return
    if server.has_aoti and found["platform"] == _AOTI.platform:
        known = _AOTI
    found["platform"] = found["platform"] or known.platform
    if not (known.backend == "pytorch" and found.get("runtime") == "model.py"):
        found["default_model_filename"] = found["default_model_filename"] or known.filename


def _by_name(found: dict[str, Any], folder: str) -> dict[str, Any] | Refusal:
    """Return what a model called `x.<backend>` gets; nothing else about it is looked up any more."""
    _, dot, backend = folder.partition(".")
    if not dot:
        return Refusal(
            f"Invalid model name: Could not determine backend for model '{folder}' with no backend in model "
            "configuration. Expected model name of the form 'model.<backend_name>'.",
            code="C202",
            fix='platform: "ensemble"'
            if "ensemble_scheduling" in found
            else 'name the backend: backend: "onnxruntime", "pytorch" or "python"',
        )
    return found | {"backend": backend, "default_model_filename": f"model.{backend}"}
