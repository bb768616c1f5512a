"""The library that implements a backend: in the image, or brought along in the model's folder."""

from typing import Final

from builder.lint.seen import Seen
from builder.rules.core.names import backend_meant
from builder.rules.refusal import Refusal

IN_IMAGE: Final = (
    "onnxruntime",
    "pytorch",
    "python",
    "tensorrt",
    "openvino",
    "dali",
    "fil",
    "identity",
    "square",
    "repeat",
)
"""The backends of NVIDIA's images."""
IN_ANOTHER_IMAGE: Final = {"vllm": "vllm-python-py3", "tensorrtllm": "trtllm-python-py3"}
"""The backends of NVIDIA's other images, with the end of each image's tag."""
_PYTHON_RUNTIME: Final = "model.py"
_TENSORFLOW_UNTIL: Final = (25, 2)


def missing(seen: Seen) -> Refusal | None:
    """Return that the server would not find the library; None where it would."""
    backend, runtime = seen.config["backend"], seen.config.get("runtime") or ""
    if _brings(seen, runtime or f"libtriton_{backend}.so"):
        return None
    if not runtime and backend in IN_ANOTHER_IMAGE:
        return Refusal(
            f"backend '{backend}' is not in the image {seen.target.release.name}-py3",
            kind="surprise",
            code="C204",
            place=("backend",),
            fix=f"serve it with the image {seen.target.release.name}-{IN_ANOTHER_IMAGE[backend]}",
        )
    if not runtime and not _is_in_image(seen):
        meant = backend_meant(backend, IN_IMAGE)
        right = f'backend: "{meant}"' if meant else None
        return Refusal(
            f"unable to find backend library for backend '{backend}', try specifying runtime on the model "
            "configuration.",
            code="C204",
            place=("backend",),
            fix=right or f"the images have {', '.join(IN_IMAGE)}",
            right=right,
        )
    own = (f"libtriton_{backend}.so", *([_PYTHON_RUNTIME] if backend == "pytorch" else []))
    if runtime and not (_is_in_image(seen) and runtime in own):
        return Refusal(
            f"unable to find backend library '{runtime}' for model '{seen.folder.name}'",
            code="C204",
            place=("runtime",),
            fix="leave `runtime` out, or put the library into the model's folder",
        )
    return None


def _is_in_image(seen: Seen) -> bool:
    if seen.config["backend"] == "tensorflow":
        return seen.target.release.key <= _TENSORFLOW_UNTIL
    return seen.config["backend"] in IN_IMAGE


def _brings(seen: Seen, library: str) -> bool:
    """Return whether the model's folder or the version's holds `library`."""
    return any((folder / library).is_file() for folder in (seen.folder.path, seen.folder.path / seen.version))
