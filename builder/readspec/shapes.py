"""pydantic over the plain dataclasses of `spec`: unknown keys forbidden, field docstrings in the schema."""

import copy
import dataclasses
import difflib
import types
from collections.abc import Iterable, Mapping
from enum import Enum
from typing import Any, Final, Literal, Union, get_args, get_origin, get_type_hints

from pydantic import TypeAdapter, ValidationError

from builder.readspec.yaml_tree import Mistake, Path, Tree
from builder.spec import project
from builder.spec.dtypes import DType
from builder.spec.project import Project

_CONFIG: Final = {"extra": "forbid", "use_attribute_docstrings": True, "allow_inf_nan": False}

for _class in vars(project).values():
    if dataclasses.is_dataclass(_class):
        setattr(_class, "__pydantic_config__", _CONFIG)  # noqa: B010

ADAPTER: Final = TypeAdapter(Project)
_ROUNDS: Final = 5
_FILLER: Final = 1
_ITEM_FILLERS: Final[Mapping[str | int, Any]] = {
    "shape": "batch",
    "backend": "onnx",
    "output_names": "output",
    "inputs": "input",
    "steps": {"model": "?"},
}
"""What a wrong item of a list gives way to, by the list's key, where the filler would be wrong itself."""
_PLACEHOLDERS: Final[Mapping[str | int, Any]] = {
    "models": {},
    "source": "missing:missing",
    "inputs": {},
    "outputs": {},
    "steps": [],
    "model": "?",
    "dtype": "fp32",
    "shape": ["batch"],
    "max": 2**30,
}


def fit(tree: Tree, value: Any) -> tuple[Project | None, list[Mistake], list[Path]]:
    """Turn `value` into a Project as far as it goes.

    Returns the project, every wrong part replaced by a default or placeholder (None when nothing is left);
    the mistakes; and the paths replaced, so that later checks are silent on what follows.
    """
    mistakes: list[Mistake] = []
    dropped: list[Path] = []
    for _ in range(_ROUNDS):
        try:
            return ADAPTER.validate_python(value), mistakes, dropped
        except ValidationError as error:
            wrong = [(_trimmed(value, e["loc"], e["type"]), e) for e in error.errors(include_url=False)]
        if not dropped:
            mistakes = _told(tree, wrong)
        for path, _ in wrong:
            if not path:
                return None, mistakes, [()]
            dropped.append(path)
            _replace(value, path)
    return None, mistakes, dropped


def _trimmed(value: Any, loc: tuple[str | int, ...], kind: str) -> Path:
    """Return `loc` without the names of union members that pydantic puts into it."""
    path: list[str | int] = []
    for n, step in enumerate(loc):
        if _has(value, step):
            value = value[step]
        elif not (kind.startswith("missing") and n == len(loc) - 1):
            break
        path.append(step)
    return tuple(path)


def _told(tree: Tree, wrong: Iterable[tuple[Path, Any]]) -> list[Mistake]:
    """Return one mistake per path; the alternatives of a union are one sentence."""
    sentences: dict[Path, list[str]] = {}
    for path, details in wrong:
        sentence = _sentence(path, details)
        if sentence not in sentences.setdefault(path, []):
            sentences[path].append(sentence)
    return [tree.mistake(path, "; or ".join(said)) for path, said in sentences.items()]


def _sentence(path: Path, details: Mapping[str, Any]) -> str:
    kind = details["type"]
    if kind in ("unexpected_keyword_argument", "extra_forbidden"):
        return "unknown key" + close_match(str(path[-1]), _keys_at(path[:-1]))
    if kind.startswith("missing"):
        return "is missing"
    if kind == "enum":
        return _not_one_of(details["input"], _names(path))
    if path[::2] == ("models", "outputs") and isinstance(details["input"], list):
        return "must be a mapping of promises by name; a list of names is `output_names`"
    message = (
        details["msg"]
        .replace("Input should be", "must be")
        .replace("dictionary or an instance of ", "mapping, see ")
        .replace("dictionary", "mapping")
        .replace("valid tuple", "list")
        .replace(", unable to interpret input", "")
    )
    return f"{message}, not {_short(details['input'])}"


def _short(value: Any) -> str:
    text = (
        {True: "true", False: "false", None: "nothing"}.get(value)
        if isinstance(value, bool | None)
        else repr(value)
    )
    text = text or "nothing"
    return text if len(text) <= 40 else text[:37] + "..."  # noqa: PLR2004 - a line on a terminal


def close_match(word: str, known: Iterable[str]) -> str:
    """Return `; did you mean ...?`, or what there is, or nothing."""
    names = list(known)
    found = difflib.get_close_matches(word, names, n=1, cutoff=0.6)
    if found:
        return f"; did you mean `{found[0]}`?"
    return f"; there are: {', '.join(names)}" if names else ""


def _not_one_of(word: object, names: list[str]) -> str:
    match = close_match(str(word), names)
    return f"{_short(word)} is not one of {', '.join(names)}{match if 'did you mean' in match else ''}"


def _names(path: Path) -> list[str]:
    hint = _type_at(path)
    members = hint if isinstance(hint, type) and issubclass(hint, Enum) else ()
    return [str(member.value) for member in members if member is not project.Backend.ENSEMBLE]


def _keys_at(path: Path) -> list[str]:
    hint = _type_at(path)
    return [field.name for field in dataclasses.fields(hint)] if dataclasses.is_dataclass(hint) else []


def _type_at(path: Path) -> Any:
    hint: Any = Project
    for step in path:
        hint = _inside(_main_type(hint), step)
    return _main_type(hint)


def _inside(hint: Any, step: str | int) -> Any:
    if dataclasses.is_dataclass(hint):
        return get_type_hints(hint).get(str(step), object)
    arguments = get_args(hint)
    return arguments[-1 if get_origin(hint) is not tuple else 0] if arguments else object


def _main_type(hint: Any) -> Any:
    """Return the part of a union that can hold more."""
    if get_origin(hint) not in (Union, types.UnionType):
        return hint
    parts = [part for part in get_args(hint) if part is not type(None) and get_origin(part) is not Literal]
    return next((part for part in parts if dataclasses.is_dataclass(part)), parts[0] if parts else object)


def _replace(value: Any, path: Path) -> None:
    """Take the wrong part out of `value`; a required key gets a placeholder."""
    for step in path[:-1]:
        if not _has(value, step):
            return
        value = value[step]
    last = path[-1]
    if isinstance(value, dict):
        value.pop(last, None)
        if last in _PLACEHOLDERS:
            is_list = last == "inputs" and path[0] == "pipelines"
            value[last] = [] if is_list else copy.deepcopy(_PLACEHOLDERS[last])
    elif isinstance(value, list) and _has(value, last):
        value[int(last)] = copy.deepcopy(
            _ITEM_FILLERS.get(path[-2], _FILLER)
        )  # in place: later paths stay true


def _has(value: Any, step: str | int) -> bool:
    if isinstance(value, dict):
        return step in value
    return isinstance(value, list) and isinstance(step, int) and step < len(value)


DTYPE_ALIASES: Final = {
    alias: dtype.value
    for dtype in DType
    for alias in (
        dtype.triton,
        dtype.wire,
        dtype.numpy,
        *([dtype.torch, f"torch.{dtype.torch}"] if dtype.torch else []),
    )
}
