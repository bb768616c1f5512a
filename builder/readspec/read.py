"""Read trb.yaml: parse, spell out, fit to the dataclasses, check what no single field can tell."""

from pathlib import Path
from typing import Any

from builder.errors import SpecError
from builder.readspec.checks import check
from builder.readspec.shapes import ADAPTER, DTYPE_ALIASES, close_match, fit
from builder.readspec.shorthand import spelt_out
from builder.readspec.yaml_tree import Mistake, Tree, parse
from builder.spec.dtypes import DType
from builder.spec.project import Backend, Project, ReadProject

_MAX_BYTES = 1_000_000
__all__ = ["close_match", "json_schema", "read"]


def read(path: Path) -> ReadProject:
    """Return the project that the file at `path` describes. Nothing the spec names is imported or opened.

    Raises:
        SpecError: the file cannot be read, or has mistakes: all are listed, with line, column and path.
    """
    tree = parse(_text(path))
    project, mistakes = _project(tree, path.absolute().parent)
    if mistakes:
        raise SpecError(_listing(path, mistakes), fix=f"correct {path.name}; docs/spec.md explains every key")
    assert project is not None
    return ReadProject(project=project, path=path.absolute())


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of trb.yaml, for editors; the short forms are allowed beside the long ones."""
    schema = ADAPTER.json_schema()
    schema["$defs"]["DType"]["enum"] = [*dict.fromkeys((*DType, *DTYPE_ALIASES))]
    schema["$defs"]["Backend"]["enum"].remove(Backend.ENSEMBLE.value)
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = "trb.yaml"
    model = schema["$defs"]["Model"]["properties"]
    model["backend"] = _either(model["backend"], {"$ref": "#/$defs/Backend"})
    model["instances"] = _either(model["instances"], {"type": "integer"})
    model["batching"] = _either(model["batching"], {"type": "boolean"})
    axis = model["dims"]["additionalProperties"]
    model["dims"]["additionalProperties"] = _either(axis, {"type": "integer"})
    model["parameters"]["additionalProperties"] = {"type": ["string", "number", "boolean"]}
    pipeline = schema["$defs"]["Pipeline"]["properties"]
    pipeline["steps"]["items"] = _either(pipeline["steps"]["items"], {"type": "string"})
    pipeline["outputs"] = _either(pipeline["outputs"], {"type": "array", "items": {"type": "string"}})
    schema["properties"]["triton"] = {**schema["properties"]["triton"], "type": ["string", "number"]}
    return schema


def _either(long: dict[str, Any], short: dict[str, Any]) -> dict[str, Any]:
    kept: dict[str, Any] = {key: long[key] for key in ("description", "default", "title") if key in long}
    return {**kept, "anyOf": [{k: v for k, v in long.items() if k not in kept}, short]}


def _text(path: Path) -> str:
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        fix = "run `trb init module:callable` to write one, or name it with --file"
        raise SpecError(f"{path} does not exist", fix=fix) from None
    except OSError as error:
        raise SpecError(
            f"{path} cannot be read: {error.strerror}", fix="name another file with --file"
        ) from None
    if len(data) > _MAX_BYTES:
        raise SpecError(f"{path} has {len(data):,} bytes; a trb.yaml has at most {_MAX_BYTES:,}")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise SpecError(f"{path}:{line}: not UTF-8 text", fix="save the file as UTF-8") from None


def _project(tree: Tree, folder: Path) -> tuple[Project | None, list[Mistake]]:
    if not isinstance(tree.value, dict):
        empty = (
            [] if tree.mistakes else [tree.mistake((), "must be a mapping with a `models` key, and is not")]
        )
        return None, [*tree.mistakes, *empty]
    project, mistakes, dropped = fit(tree, spelt_out(tree))
    deeper = check(tree, project, dropped, folder) if project else []
    return project, sorted([*tree.mistakes, *mistakes, *deeper], key=lambda one: (one.line, one.column))


def _listing(path: Path, mistakes: list[Mistake]) -> str:
    count = f"{len(mistakes)} mistakes" if len(mistakes) > 1 else "a mistake"
    lines = [
        f"  {path.name}:{one.line}:{one.column}: {one}" if one.line else f"  {path.name}: {one}"
        for one in mistakes
    ]
    return "\n".join([f"{path} has {count}:", *lines])
