"""`backend: "python"`: the source of a model, which is parsed and never run."""

import ast
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

from builder.lint import python_ends, python_environment, python_imports, python_model, python_source
from builder.lint.file_kind import foreign
from builder.lint.python_imports import Import
from builder.lint.python_model import PythonModel
from builder.lint.python_needs import Need, needs
from builder.lint.seen import Looked, Seen, missing
from builder.rules.refusal import Refusal, max_batch_size, tensors


def look(seen: Seen) -> Looked:
    """Return what the backend has against the model.

    Raises:
        OSError: a file of it cannot be read.
    """
    return Looked(refusals=tuple(_look(seen)))


def _look(seen: Seen) -> Iterator[Refusal]:
    refusal = _file(seen)
    if refusal is not None:
        yield refusal
        return
    yield from python_environment.check(seen)
    tree = python_source.parse(seen.file, seen.relative, seen.target.release)
    if isinstance(tree, Refusal):
        yield tree
    elif tree is not None:
        yield from (replace(one, file=one.file or seen.relative) for one in _source(seen, tree))


def _file(seen: Seen) -> Refusal | None:
    name = str(seen.config["default_model_filename"])
    if not name.endswith(".py"):
        return Refusal(
            f"Model name must end with '.py'. Model name is \"{name}\".",
            code="P110",
            place=("default_model_filename",),
        )
    if not seen.file.exists():
        return missing(seen, f"Python model file not found: {seen.relative}")
    module = Path(name).name.removesuffix(".py")
    if "." in module:
        return Refusal(
            f"ModuleNotFoundError: No module named '{seen.version}.{module.partition('.')[0]}'",
            code="P110",
            place=("default_model_filename",),
            fix="give the file a name without a second dot",
        )
    return foreign(seen.file, seen.relative)


def _source(seen: Seen, tree: ast.Module) -> Iterator[Refusal]:
    model = python_model.find(tree)
    if model is False:
        yield Refusal(
            f"AttributeError: module '{seen.version}.{seen.file.stem}' has no attribute '{python_model.CLASS}'",
            code="P102",
            fix=f"define class {python_model.CLASS}; the name is Triton's, letter by letter",
        )
    if isinstance(model, PythonModel):
        yield from _class(seen, model)
    yield from _imports(seen, tree)


def _class(seen: Seen, model: PythonModel) -> Iterator[Refusal]:
    if model.is_whole and "execute" not in model.methods:
        yield Refusal(
            f"Python model {seen.relative} does not implement `execute` method.",
            kind="request",
            code="P103",
            line=model.node.lineno,
            fix="def execute(self, requests): return one response for each request",
        )
    for function, wanted in python_model.wrong_methods(model):
        yield Refusal(
            f"TypeError: {function.name}() cannot be called as Triton does",
            kind="load" if function.name != "execute" else "request",
            code="P104",
            line=function.lineno,
            fix=f"def {wanted}" if not wanted.startswith("@") else wanted,
        )
    if model.is_whole and "execute" in model.methods:
        yield from _ends(seen, model)
    if not tensors(seen.config, "input") and not model.adds_inputs:
        yield from _no_inputs(seen)


def _ends(seen: Seen, model: PythonModel) -> Iterator[Refusal]:
    is_decoupled = bool((seen.config.get("model_transaction_policy") or {}).get("decoupled"))
    source = seen.file.read_text(errors="replace")
    for end in python_ends.ends(model.methods, source, is_decoupled=is_decoupled):
        what = f"{end.method}() raises {end.raises} at every call" if end.raises else _NO_RESPONSES
        yield Refusal(
            what,
            kind="request" if end.method == "execute" else "load",
            code="P111",
            line=end.line,
            fix="def execute(self, requests): return one response for each request" if not end.raises else "",
        )


_NO_RESPONSES: Final = "execute() returns no responses, and sends none otherwise: no request is ever answered"


def _no_inputs(seen: Seen) -> Iterator[Refusal]:
    fails = max_batch_size(seen.config) > 0 or b"get_input_tensor_by_name" in seen.file.read_bytes()
    yield Refusal(
        f"model '{seen.config['name']}' has no inputs: every request that brings one is refused with \"expected 0 "
        'inputs"',
        kind="request" if fails else "surprise",
        code="P106",
        fix="list `input` and `output` in config.pbtxt, or define auto_complete_config",
    )


def lacking(seen: Seen) -> Iterator[Need]:
    """Yield each package that the model imports and its image does not have, once; one that cannot be read needs none.

    Raises:
        OSError: a file of it cannot be read.
    """
    if not seen.file.is_file() or foreign(seen.file, seen.relative) or python_environment.path(seen.config):
        return  # what is no source has findings of its own; an environment has whatever it holds
    tree = python_source.parse(seen.file, seen.relative, seen.target.release)
    for need in _needs(seen, tree) if isinstance(tree, ast.Module) else ():
        if isinstance(need, Need) and not need.wanted.level and not _has(need.wanted.package, seen):
            yield need


def _imports(seen: Seen, tree: ast.Module) -> Iterator[Refusal]:
    for need in _needs(seen, tree):
        if isinstance(need, Refusal):
            yield need
        else:
            for refusal in _absent(need.wanted, seen):
                kind = refusal.kind if need.is_certain else "surprise"
                yield replace(refusal, kind=kind, file=need.relative, line=need.wanted.line)


def _needs(seen: Seen, tree: ast.Module) -> Iterator[Need | Refusal]:
    """Yield what the model needs, each package once; where it looks in further folders, none of them for certain."""
    told = set[tuple[str, int]]()
    may_find = b"sys.path" in seen.file.read_bytes()
    for need in needs(seen, tree):
        if isinstance(need, Refusal):
            yield need
        elif (key := (need.wanted.package, need.wanted.level)) not in told:
            told.add(key)
            is_sure = need.is_certain and not (may_find and not need.wanted.level)
            yield replace(need, is_certain=is_sure)


def _has(package: str, seen: Seen) -> bool:
    python = python_source.version(seen.target.release)
    if python_imports.is_standard(package, python) or package in python_imports.SUPPLIED:
        return True
    return bool((seen.target.packages or {}).get(package))


def _absent(wanted: Import, seen: Seen) -> Iterator[Refusal]:
    """Yield why an image of the release does not have what is wanted, if it does not."""
    package, python = wanted.package, python_source.version(seen.target.release)
    if wanted.level:
        yield Refusal(_relative_words(wanted, seen), code="P107")
    elif python_imports.is_standard(package, python) or package in python_imports.SUPPLIED:
        return
    elif python_environment.path(seen.config):
        return  # whatever the environment holds
    elif python_imports.was_standard(package, python):
        yield Refusal(
            f"ModuleNotFoundError: No module named '{package}' in the image's Python {'.'.join(map(str, python))}",
            code="P107",
        )
    elif seen.target.packages is None:
        yield Refusal(
            f"'{package}' has to be added: for its models the image has the standard library and numpy",
            kind="surprise",
            code="P105",
            fix=f"{_ADD}; --probe-image looks into an image",
        )
    elif not seen.target.packages.get(package):
        yield Refusal(f"ModuleNotFoundError: No module named '{package}'", code="P105", fix=_ADD)


_ADD: Final = "install it into the image, or pack an environment and name it in EXECUTION_ENV_PATH"


def _relative_words(wanted: Import, seen: Seen) -> str:
    if wanted.level > 1:
        return "ImportError: attempted relative import beyond top-level package"
    return f"ModuleNotFoundError: No module named '{seen.version}.{wanted.module or wanted.names[0]}'"
