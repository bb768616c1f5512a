"""`backend: "onnxruntime"`: the graph against the config, as ONNX Runtime sees it."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from builder.lint import onnx_external
from builder.lint.file_kind import foreign
from builder.lint.onnx_view import OnnxView, refusal_of, view
from builder.lint.seen import Looked, Seen, missing
from builder.rules import onnxruntime as rules
from builder.rules import onnxruntime_gpu, onnxruntime_requests
from builder.rules.refusal import Config, Refusal
from builder.spec.releases import first_release_with


def look(seen: Seen) -> Looked:
    """Return what the backend has against the file, and what it completes in the config.

    Raises:
        OSError: the file cannot be read.
    """
    file = seen.file / "model.onnx" if seen.file.is_dir() else seen.file
    if not file.exists():
        return Looked(refusals=(missing(seen, f"failed to stat file {seen.relative}"),))
    relative = str(file.relative_to(seen.folder.path))
    refusal = foreign(file, relative)
    if refusal is not None:
        return Looked(refusals=(refusal,))
    libraries = (seen.config.get("model_operations") or {}).get("op_library_filename") or ()
    missing_libraries = tuple(_missing_libraries(seen, libraries))
    found = view(file)
    if isinstance(found, Refusal) and found.code == "O102" and libraries:
        return Looked(refusals=missing_libraries)  # with the operators that they bring it may load
    if isinstance(found, Refusal):
        return Looked(refusals=(replace(found, file=relative, fix=_fix(found)),))
    of_file = tuple(replace(one, file=relative) for one in _of_file(seen, found, file))
    if of_file or missing_libraries:
        return Looked(refusals=(*missing_libraries, *of_file))
    return _against_config(seen, found, file)


def _missing_libraries(seen: Seen, libraries: Iterable[str]) -> Iterator[Refusal]:
    for position, library in enumerate(libraries):
        folders = (Path(), seen.folder.path, seen.folder.path / seen.version)
        if not any((folder / library).is_file() for folder in folders):
            yield Refusal(
                f"Failed to load library {library} with error: {library}: cannot open shared object file: No such file "
                "or directory",
                # An absolute path may be there on the server's machine and not on this one.
                kind="surprise" if library.startswith("/") else "load",
                code="O107",
                place=("model_operations", "op_library_filename", position),
                fix="name the library by the absolute path that it has on the server's machine",
            )


def _fix(refusal: Refusal) -> str:
    if "is not a registered function/op" in refusal.message:
        return "name the library that brings the operator in `model_operations`, or export without it"
    return refusal.fix


def _of_file(seen: Seen, found: OnnxView, file: Path) -> Iterator[Refusal]:
    """Yield what keeps the release's ONNX Runtime from loading the file, whatever the config says."""
    release = seen.target.release
    limits = {"max_opset": release.max_opset, "max_ir": release.max_ir}
    for refusal in rules.over_limits(opset=found.opset, ir=found.ir, **limits):
        first = first_release_with(opset=found.opset or 0, ir=found.ir or 0)
        later = f", or serve it with Triton {first.name}, the first that loads it" if first else ""
        yield replace(
            refusal, fix=f"export with opset {release.max_opset} and IR {release.max_ir} at most{later}"
        )
    yield from onnx_external.check(found.external, file, release)


def _without_openvino(config: Config) -> tuple[Config, tuple[Refusal, ...]]:
    """Return `config` without the one accelerator for CPUs that some builds have, and what is to be said of it."""
    optimization = config.get("optimization") or {}
    accelerators = optimization.get("execution_accelerators") or {}
    wanted = accelerators.get("cpu_execution_accelerator") or ()
    others = [one for one in wanted if one.get("name") != "openvino"]
    if len(others) == len(wanted):
        return config, ()
    kept = {**accelerators, "cpu_execution_accelerator": others}
    said = Refusal(
        "the accelerator 'openvino' is in the ONNX Runtime of NVIDIA's images; other builds, the embedded server's "
        "among them, refuse it: unknown Execution Accelerator 'openvino' is requested",
        kind="surprise",
        code="C218",
        place=("optimization", "execution_accelerators", "cpu_execution_accelerator"),
    )
    return {**config, "optimization": {**optimization, "execution_accelerators": kept}}, (said,)


def _against_config(seen: Seen, found: OnnxView, file: Path) -> Looked:
    relative = str(file.relative_to(seen.folder.path))
    bf16 = seen.target.release.key >= rules.BF16_SINCE
    given, openvino = _without_openvino(seen.config)
    completed = rules.auto_complete(given, found.inputs, found.outputs, bf16=bf16)
    if isinstance(completed, Refusal):
        return Looked(refusals=(completed,))
    config = {**given, **completed}
    refusals = [
        *openvino,
        *onnxruntime_gpu.check(config, gpus=seen.target.gpus),
        *rules.check(config, found.inputs, found.outputs, initializers=found.initializers, bf16=bf16),
    ]
    if not any(one.kind == "load" for one in refusals):
        refusals += onnxruntime_requests.check(config, found.outputs, unranked=found.unranked)
        shapes = onnxruntime_requests.narrowed(config, found.inputs)
        if shapes:
            refusals += onnxruntime_requests.unfit(config, refusal_of(file, shapes))
    return Looked(
        refusals=tuple(one if one.place else replace(one, file=relative) for one in refusals),
        completed=completed,
    )
