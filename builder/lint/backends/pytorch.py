"""`backend: "pytorch"`: TorchScript against the config, an AOTInductor package, or a module run by Python."""

import zipfile
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from builder.lint import python_source, torch_code, torch_follow
from builder.lint.file_kind import foreign
from builder.lint.seen import Looked, Seen, missing
from builder.lint.torch_archive import NotArchive, archive
from builder.lint.torchscript_view import TorchScriptView, view
from builder.rules import pytorch, pytorch_order, pytorch_results, pytorch_values
from builder.rules.refusal import Refusal, max_batch_size

_AOTI_SINCE: Final = (26, 3)
_FORCED_SINCE: Final = (26, 4)
"""From this release on an empty platform makes `model.pt` the file, even where Python runs the model."""


def look(seen: Seen) -> Looked:
    """Return what the backend has against the file; it completes nothing.

    Raises:
        OSError: the file cannot be read.
    """
    if seen.config.get("runtime") == "model.py":
        return Looked(refusals=tuple(_python(seen)))
    if seen.config.get("platform") == "torch_aoti" and seen.target.release.key >= _AOTI_SINCE:
        name = seen.given.get("default_model_filename") or "model.pt2"
        config = {**seen.config, "default_model_filename": name}
        return Looked(refusals=tuple(_aoti(replace(seen, config=config))))
    return Looked(refusals=tuple(_torchscript(seen)))


def _torchscript(seen: Seen) -> Iterator[Refusal]:
    absent = _absent(seen)
    if absent is not None:
        yield absent
        return
    found = view(seen.file)
    if isinstance(found, Refusal):
        message = f"failed to load model '{seen.config['name']}': {found.message}"
        yield replace(found, message=message, file=seen.relative)
        return
    refusals = [
        *torch_code.check(seen.config, found, seen.target),
        *pytorch.check(seen.config, found.arguments),
        *pytorch_values.check(seen.config, found.arguments, found.returned),
        *pytorch_order.check(seen.config, found.arguments, found.returned),
    ]
    if all(one.kind == "surprise" for one in refusals):
        refusals += _answers(seen, found)
    unloaded = [one for one in refusals if one.kind == "load"]
    yield from (one if one.place else replace(one, file=seen.relative) for one in unloaded or refusals)


def _answers(seen: Seen, found: TorchScriptView) -> list[Refusal]:
    """Return why the server cannot answer a request of one row, of two, or of as many as it takes."""
    most = max_batch_size(seen.config)
    for rows in sorted({min(1, most), min(2, most), most}):
        arguments = pytorch_results.given(seen.config, found.arguments, rows=rows)
        try:
            results = torch_follow.results(found.program, arguments)
        except torch_follow.Fails as error:
            return [pytorch_results.failed(seen.config, str(error))]
        refusals = list(pytorch_results.check(seen.config, found.returned, results, rows=rows))
        if refusals:
            return refusals
    return []


def _absent(seen: Seen) -> Refusal | None:
    if not seen.file.exists():
        return missing(seen, f"unable to find '{seen.relative}' for model instance '{seen.config['name']}'")
    return foreign(seen.file, seen.relative)


def _aoti(seen: Seen) -> Iterator[Refusal]:
    absent = _absent(seen)
    if absent is not None:
        yield absent
        return
    try:
        names = archive(seen.file).records
    except NotArchive as error:
        names, why = {}, str(error)
    else:
        why = "it has no data/aotinductor"
    if not any(name.startswith("data/aotinductor/") for name in names):
        yield Refusal(
            f"{seen.relative} is no package of torch._inductor.aoti_compile_and_package: {why}",
            code="T108",
            file=seen.relative,
            fix="package the exported program: torch._inductor.aoti_compile_and_package(exported, package_path=path)",
        )
    if max_batch_size(seen.config) > 1:
        yield Refusal(
            "AOTInductor models take no batches: the backend knows no batch axis in them",
            kind="surprise",
            code="T109",
            place=("max_batch_size",),
            fix="max_batch_size: 0 and the full shape in `dims`",
        )


def _python(seen: Seen) -> Iterator[Refusal]:
    """Yield what keeps Python from running the module: it looks for the named file, `model.py`, then `model.pt`."""
    named = seen.config.get("default_model_filename") or ""
    names = [name for name in (named, "model.py", "model.pt") if name]
    found = next((name for name in names if (seen.folder.path / seen.version / name).exists()), None)
    if found is None:
        yield missing(seen, f"there is neither of {', '.join(dict.fromkeys(names))} in {seen.version}/")
        return
    relative = f"{seen.version}/{found}"
    refusal = foreign(seen.folder.path / relative, relative)
    if refusal is not None:
        yield refusal
    elif found.endswith(".py"):
        yield from python_source.check_syntax(seen.folder.path / relative, relative, seen.target.release)
    elif not zipfile.is_zipfile(seen.folder.path / relative):
        yield Refusal(f"{relative} is neither weights nor a TorchScript module", code="T101", file=relative)
    if not named and not seen.given.get("platform") and seen.target.release.key >= _FORCED_SINCE:
        yield Refusal(
            "without a platform the server sets default_model_filename to model.pt, even where Python runs the model",
            kind="surprise",
            code="T111",
            place=("runtime",),
            fix='platform: "pytorch_libtorch", or name the file in `default_model_filename`',
        )
