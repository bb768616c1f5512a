"""YAML as plain values, each with the place it came from."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import yaml

Path = tuple[str | int, ...]

_INT: Final = re.compile(r"[-+]?[0-9]+\Z")
_FLOAT: Final = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?\Z")
_WORDS: Final = {"true": True, "false": False, "null": None, "~": None, "": None}
_MAX_DEPTH: Final = 50
_MAX_NODES: Final = 50_000
_UNFIT: Final = re.compile("[\\x00\\ud800-\\udfff]")
_TOO_MUCH: Final = "nested too deeply, or aliases that multiply"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mistake:
    """One thing wrong with the file."""

    line: int
    """Counted from 1; 0: the file as a whole."""
    column: int
    path: str
    """Such as `models.digits.inputs.image.dtype`; empty for a syntax error."""
    message: str

    def __str__(self) -> str:
        return f"{self.path}: {self.message}" if self.path else self.message


@dataclass(slots=True)
class Tree:
    """A document: its plain value, where each part stands, and the mistakes of form found on the way."""

    value: Any = None
    places: dict[Path, tuple[int, int]] = field(default_factory=dict)
    texts: dict[Path, str] = field(default_factory=dict)
    """The text of every scalar as written: 24.10 is a release, not the number 24.1."""
    mistakes: list[Mistake] = field(default_factory=list)

    def mistake(self, path: Path, message: str) -> Mistake:
        """Return a mistake at `path`, or at its nearest ancestor that is in the file."""
        known = next(path[:n] for n in range(len(path), -1, -1) if path[:n] in self.places or n == 0)
        line, column = self.places.get(known, (0, 0))
        return Mistake(line=line, column=column, path=".".join(map(str, path)), message=message)


def parse(text: str) -> Tree:
    """Parse `text` as YAML 1.2's core schema: only true and false are booleans, and a key may stand once.

    A syntax error is a mistake of the tree, not an exception.
    """
    tree = Tree()
    try:
        root = yaml.compose(text, Loader=yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (0, 0)
        tree.mistakes.append(Mistake(line=line, column=column, path="", message=f"not YAML: {error.problem}"))
    except (yaml.YAMLError, RecursionError) as error:
        message = f"not YAML: {str(error).splitlines()[0] if str(error) else 'nested too deeply'}"
        tree.mistakes.append(Mistake(line=0, column=0, path="", message=message))
    else:
        if root is not None:
            tree.value = _plain(root, (), tree)
    return tree


def _plain(node: yaml.Node, path: Path, tree: Tree) -> Any:
    tree.places[path] = (node.start_mark.line + 1, node.start_mark.column + 1)
    if len(path) > _MAX_DEPTH or len(tree.places) > _MAX_NODES:
        if not any(one.message == _TOO_MUCH for one in tree.mistakes):
            tree.mistakes.append(tree.mistake(path[:4], _TOO_MUCH))
        return None
    if isinstance(node, yaml.MappingNode):
        return _mapping(node, path, tree)
    if isinstance(node, yaml.SequenceNode):
        return [_plain(child, (*path, n), tree) for n, child in enumerate(node.value)]
    node.value = _writable(node.value, path, tree)
    tree.texts[path] = node.value
    return _scalar(node)


def _writable(text: str, path: Path, tree: Tree) -> str:
    """Return `text` without what neither a path nor UTF-8 can hold, which is a mistake."""
    if not _UNFIT.search(text):
        return text
    tree.mistakes.append(tree.mistake(path, "has a character that no file and no message can hold"))
    return _UNFIT.sub("?", text)


def _mapping(node: yaml.MappingNode, path: Path, tree: Tree) -> Mapping[str, Any]:
    plain: dict[str, Any] = {}
    for key, value in node.value:
        name = _UNFIT.sub("?", key.value) if isinstance(key, yaml.ScalarNode) else None
        here = (*path, name if name is not None else "?")
        if name is None:
            tree.places[here] = (key.start_mark.line + 1, key.start_mark.column + 1)
            tree.mistakes.append(tree.mistake(here, "a key must be a plain name"))
            continue
        if name in plain:
            first = tree.places[here][0]
            line, column = key.start_mark.line + 1, key.start_mark.column + 1
            message = f"stands twice; the first is on line {first}"
            tree.mistakes.append(
                Mistake(line=line, column=column, path=".".join(map(str, here)), message=message)
            )
            continue
        plain[name] = _plain(value, here, tree)
        tree.places[here] = (key.start_mark.line + 1, key.start_mark.column + 1)
    return plain


def _scalar(node: yaml.Node) -> Any:
    text: str = node.value
    if getattr(node, "style", None) in ("'", '"', "|", ">"):
        return text
    if text.lower() in _WORDS and text in (text.lower(), text.title(), text.upper()):
        return _WORDS[text.lower()]
    if _INT.match(text):
        return int(text) if len(text) < 25 else text  # noqa: PLR2004 - no size or range is longer
    if _FLOAT.match(text):
        return float(text)
    return text
