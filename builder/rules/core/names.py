"""The name of a model, and the platform that goes with its backend."""

import json
from collections.abc import Iterable, Iterator
from typing import Final

from builder.pbtxt import spelling
from builder.rules.core.server import Server
from builder.rules.core.tensors import ENSEMBLE
from builder.rules.refusal import Config, Refusal

_PLATFORMS: Final = {
    "tensorrt": ("tensorrt_plan",),
    "onnxruntime": ("onnxruntime_onnx",),
    "pytorch": ("pytorch_libtorch",),
    "tensorflow": ("tensorflow_graphdef", "tensorflow_savedmodel"),
}
"""Those of the backends that the core knows; any other backend goes with any platform."""
_AOTI: Final = ("pytorch", "torch_aoti")
_ALSO: Final = {
    "onnx": "onnxruntime",
    "torch": "pytorch",
    "libtorch": "pytorch",
    "torchscript": "pytorch",
    "trt": "tensorrt",
}
"""What people call backends."""


def folder(config: Config, name: str) -> Iterator[Refusal]:
    """Yield that the config names another model than its folder, which is called `name`."""
    if config.get("name") not in (None, "", name):
        yield Refusal(
            f"unexpected directory name '{name}' for model '{config['name']}', directory name must equal model name",
            code="C201",
            place=("name",),
            fix=f'name: "{name}", or rename the folder',
            right=f"name: {json.dumps(name, ensure_ascii=False)}",
        )


def backend_meant(given: str, known: Iterable[str] = _PLATFORMS) -> str:
    """Return the only one of the `known` backends that `given` is another name or spelling of; "" for none."""
    name = given.strip().lower()
    of_platform = next((backend for backend, platforms in _PLATFORMS.items() if name in platforms), "")
    return of_platform or _ALSO.get(name) or spelling.meant(name, known)


def backend(config: Config, server: Server) -> Iterator[Refusal]:
    """Yield that the platform is none that the core knows, or not the one of the backend."""
    platform, given = config.get("platform") or "", config.get("backend") or ""
    if platform == ENSEMBLE or (server.has_aoti and (given, platform) == _AOTI):
        return
    meant = backend_meant(platform)
    if not given:
        right = f'backend: "{meant}"' if meant else None
        yield Refusal(
            f"unexpected platform type '{platform}' for {config['name']}",
            code="C203",
            place=("platform",),
            fix=right or 'name the backend: backend: "onnxruntime", "pytorch" or "python"',
            right=right,
        )
    elif given in _PLATFORMS and platform not in _PLATFORMS[given]:
        yield Refusal(
            f"unexpected 'platform' and 'backend' pair, got:{platform}, {given}",
            code="C203",
            place=("platform",) if platform else ("backend",),
            fix=f'platform: "{_PLATFORMS[given][0]}" goes with this backend',
            right=f'platform: "{_PLATFORMS[given][0]}"' if meant == given else None,
        )
