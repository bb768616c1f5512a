"""What the server core fills into a config before any backend sees it.

Source: AutoCompleteBackendFields in triton-inference-server/core, src/model_config_utils.cc.
"""

from collections.abc import Collection
from typing import Any, Final, NamedTuple

from builder.rules.refusal import Config, Refusal


class _Known(NamedTuple):
    backend: str
    platforms: tuple[str, ...]
    filename: str


_KNOWN: Final = (
    _Known("tensorrt", ("tensorrt_plan",), "model.plan"),
    _Known("onnxruntime", ("onnxruntime_onnx",), "model.onnx"),
    _Known("openvino", (), "model.xml"),
    _Known("pytorch", ("pytorch_libtorch",), "model.pt"),
    _Known("python", (), "model.py"),
)
"""In the order in which the core looks."""


def filled(config: Config, *, folder: str, files: Collection[str]) -> dict[str, Any] | Refusal:
    """Return `config` with its name, backend, platform and file name.

    Args:
        config: what config.pbtxt says; empty where there is none.
        folder: the name of the model's folder.
        files: what stands in the first of its subfolders, by name.
    """
    found = {**config, "name": config.get("name") or folder}
    platform, filename = found.get("platform") or "", found.get("default_model_filename") or ""
    backend = found.get("backend") or _backend(platform, filename, files)
    if not backend and not platform and not filename:
        _, dot, backend = folder.partition(".")
        if not dot:
            return Refusal(
                f"Invalid model name: Could not determine backend for model '{folder}' with no backend in model "
                "configuration. Expected model name of the form 'model.<backend_name>'.",
                code="C202",
                fix='platform: "ensemble"'
                if "ensemble_scheduling" in config
                else 'name the backend: backend: "onnxruntime", "pytorch" or "python"',
            )
        filename = f"model.{backend}"
    known = next((one for one in _KNOWN if one.backend == backend), None)
    if known is not None:
        platform = platform or next(iter(known.platforms), "")
        if not (backend == "pytorch" and found.get("runtime") == "model.py"):
            filename = filename or known.filename
    return found | {"backend": backend, "platform": platform, "default_model_filename": filename}


def _backend(platform: str, filename: str, files: Collection[str]) -> str:
    for one in _KNOWN:
        if platform in one.platforms or filename == one.filename:
            return one.backend
        if not platform and not filename and one.filename in files:
            return one.backend
    return ""
