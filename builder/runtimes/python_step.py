"""A plain function as Triton's Python backend serves it: its rows, their types and shapes, and what can go wrong.

`trb build` copies this file beside a model's model.py. It runs in the server's Python as in trb's, from 3.8 on, and
needs numpy alone.
"""

from __future__ import annotations

import importlib
import inspect
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

CODE = "code"
"""The folder of the user's modules."""
FILES = "files"
"""The folder of the user's data files."""
_NUMPY = {"bool": "bool", "fp16": "float16", "fp32": "float32", "fp64": "float64", "string": "object"}
_TEXTS = ("list[str]", "List[str]", "Sequence[str]", "collections.abc.Sequence[str]")
_BYTES = tuple(text.replace("str", "bytes") for text in _TEXTS)
_MOST_SHOWN = 40


class Tensor(NamedTuple):
    """An input or output as trb.yaml declares it."""

    name: str
    dtype: str
    shape: tuple[int | str, ...]

    def __str__(self) -> str:
        return f"{self.name} {self.dtype}{_listed(self.shape)}"


class Step(NamedTuple):
    """A function, and what it takes and gives."""

    name: str
    source: str
    call: str
    batch: str
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]

    def open(self, folder: Path) -> Served:
        """Import the function from the version folder `folder`; a class is made, with its data files.

        Raises:
            Exception: whatever importing or making it raises.
        """
        packages = folder / "python{}.{}".format(*sys.version_info[:2])
        for place in (packages, folder / CODE):
            if place.is_dir():
                sys.path.insert(0, str(place))
        module, _, attribute = self.source.partition(":")
        found = importlib.import_module(module)
        for part in attribute.split("."):
            found = getattr(found, part)
        return Served(self, made(found, folder / FILES))


class Failed(Exception):
    """A request that the function cannot answer; the text is for the client."""


def made(found: Any, files: Path) -> Any:
    """Return what is called: a function itself, of a class one instance; `files` is for its constructor."""
    is_class = inspect.isclass(found)
    if not is_class:
        return found
    if FILES in parameters(found):
        return found(**{FILES: files})
    return found(files) if takes_files(found) else found()


def takes_files(found: Any) -> bool:
    """Return whether a class is made with the folder of its files: one that needs an argument, or has one called so."""
    placed = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return any(
        name == FILES or (one.kind in placed and one.default is one.empty)
        for name, one in parameters(found).items()
    )


def parameters(function: Any) -> dict[str, inspect.Parameter]:
    """Return the parameters of `function` by name; nothing where it does not tell."""
    try:
        return dict(inspect.signature(function).parameters)
    except (TypeError, ValueError):  # some callables written in C
        return {}


class Served:
    """A step that answers."""

    def __init__(self, step: Step, function: Callable[..., Any]) -> None:
        self.step = step
        self._function = function
        self._given = {
            name: _annotated(one)
            for name, one in parameters(function).items()
            if one.annotation is not one.empty
        }
        self._batched = [one.name for one in step.inputs if one.shape[:1] == (step.batch,)]

    def answer(self, feed: Mapping[str, Any]) -> dict[str, Any]:
        """Return the outputs of one request.

        Raises:
            Failed: the function fails, or gives something else than was declared.
        """
        self._sizes(feed)  # an axis of two sizes is the request's mistake, and no function's
        if self.step.call == "row" and self._batched:
            return self._by_rows(feed)
        given = {name: self._as_asked(name, value, "the request") for name, value in feed.items()}
        return self._checked(self._called(given, "the request"), feed, "", self.step.outputs)

    def answers(self, feeds: Sequence[Mapping[str, Any]]) -> list[dict[str, Any] | Failed]:
        """Return the outputs of each request, or why it has none; one that fails leaves the others as they are.

        A function that takes batches is called once for all requests of one shape; should that fail, once for each.
        """
        answers: list[Any] = [None] * len(feeds)
        for places in self._together(feeds):
            found = self._joint([feeds[n] for n in places]) if len(places) > 1 else None
            for n, place in enumerate(places):
                answers[place] = found[n] if found is not None else self._alone(feeds[place])
        return answers

    def _alone(self, feed: Mapping[str, Any]) -> dict[str, Any] | Failed:
        try:
            return self.answer(feed)
        except Failed as failure:
            return failure

    def _together(self, feeds: Sequence[Mapping[str, Any]]) -> list[list[int]]:
        """Return which requests go into one call, by their places."""
        if self.step.call == "row" or len(self._batched) < len(self.step.inputs):
            return [[n] for n in range(len(feeds))]
        groups: dict[Any, list[int]] = {}
        for n, feed in enumerate(feeds):
            groups.setdefault(tuple(feed[one.name].shape[1:] for one in self.step.inputs), []).append(n)
        return list(groups.values())

    def _joint(self, feeds: Sequence[Mapping[str, Any]]) -> Any:
        """Return the answers of one call for all; None where it fails, or does not give one row for each."""
        sizes = [len(feed[self._batched[0]]) for feed in feeds]
        whole = {name: np.concatenate([feed[name] for feed in feeds]) for name in feeds[0]}
        try:
            answer = self.answer(whole)
        except Failed:
            return None
        ends = list(np.cumsum(sizes))
        starts = [0, *ends[:-1]]
        if any(array.shape[:1] != (ends[-1],) for array in answer.values()):
            return None
        return [
            {name: array[start:end] for name, array in answer.items()} for start, end in zip(starts, ends)
        ]

    def _by_rows(self, feed: Mapping[str, Any]) -> dict[str, Any]:
        rows = [self._row(feed, n) for n in range(len(feed[self._batched[0]]))]
        return {
            one.name: self._stacked(one, [row[one.name] for row in rows], feed) for one in self.step.outputs
        }

    def _row(self, feed: Mapping[str, Any], n: int) -> dict[str, Any]:
        row = {name: value[n] if name in self._batched else value for name, value in feed.items()}
        given = {name: self._as_asked(name, value, f"row {n}") for name, value in row.items()}
        outputs = [one._replace(shape=one.shape[1:]) for one in self.step.outputs]
        return self._checked(self._called(given, f"row {n}"), feed, f" of row {n}", outputs)

    def _stacked(self, one: Tensor, rows: Sequence[Any], feed: Mapping[str, Any]) -> Any:
        if not rows:
            sizes = self._sizes(feed)
            return np.empty(
                [sizes.get(dim, 0) if isinstance(dim, str) else dim for dim in one.shape], _numpy(one)
            )
        shapes = sorted({row.shape for row in rows})
        if len(shapes) > 1:
            raise Failed(
                f"{self.step.name}: output {one}: the rows of one request have different shapes, "
                f"{_listed(shapes[0])} and {_listed(shapes[-1])}: pad them to one length, or send single rows"
            )
        return np.stack(rows)

    def _as_asked(self, name: str, value: Any, what: str) -> Any:
        """Return an input as the annotation of its parameter asks for it."""
        asked = self._given.get(name, "")
        try:
            if asked == "str" and isinstance(value, bytes):
                return value.decode()
            if asked in _TEXTS and isinstance(value, np.ndarray):
                return _texts(value.tolist())
        except UnicodeDecodeError as error:
            raise Failed(f"{self.step.name}: input `{name}` of {what} is no UTF-8 text: {error}") from None
        return value.tolist() if asked in _BYTES and isinstance(value, np.ndarray) else value

    def _called(self, given: Mapping[str, Any], what: str) -> Any:
        try:
            return self._function(**given)
        except (Exception, SystemExit) as error:  # the user's code raises anything
            shown = ", ".join(f"{name} = {_shown(value)}" for name, value in given.items())
            said = f"{type(error).__name__}: {error}".rstrip(": ")
            raise Failed(f"{self.step.name} fails at {what} ({shown}): {said}{_place(error)}") from error

    def _checked(
        self, returned: Any, feed: Mapping[str, Any], where: str, outputs: Sequence[Tensor]
    ) -> dict[str, Any]:
        """Return what the function gave as the declared outputs, by name."""
        named = self._named(returned)
        sizes = self._sizes(feed)
        answer = {}
        for one in outputs:
            place = f"{self.step.name}: output `{one.name}`{where}"
            array = _cast(named[one.name], one, place)
            if not _is_shape(array.shape, one.shape, sizes):
                raise Failed(f"{place} is declared {one.dtype}{_listed(one.shape)}, and is {_kind(array)}")
            answer[one.name] = array if array.flags.c_contiguous else array.copy()
        return answer

    def _named(self, returned: Any) -> Mapping[str, Any]:
        names = [one.name for one in self.step.outputs]
        if isinstance(returned, dict):
            given = returned
        elif isinstance(returned, tuple):
            if len(returned) != len(names):
                raise Failed(
                    f"{self.step.name} returned {len(returned)} values for the outputs {', '.join(names)}"
                )
            given = dict(zip(names, returned))
        elif len(names) == 1:
            given = {names[0]: returned}
        else:
            raise Failed(
                f"{self.step.name} returned {_kind(returned)} for the outputs {', '.join(names)}: return a tuple in "
                "that order, or a dict by name"
            )
        odd = sorted(map(repr, set(given) ^ set(names)))
        if odd:
            have = ", ".join(map(str, given)) or "nothing"
            raise Failed(
                f"{self.step.name} returned {have}, the outputs are {', '.join(names)}: see {', '.join(odd)}"
            )
        return given

    def _sizes(self, feed: Mapping[str, Any]) -> dict[str, int]:
        """Return the size of every axis that the request has."""
        found: dict[str, int] = {}
        for one in self.step.inputs:
            array = feed[one.name]
            if len(array.shape) != len(one.shape):
                raise Failed(f"{self.step.name}: input {one} came as {_kind(array)}")
            for dim, size in zip(one.shape, array.shape):
                if isinstance(dim, str) and found.setdefault(dim, size) != size:
                    raise Failed(
                        f"{self.step.name}: axis `{dim}` is {found[dim]} in one input of the request, and {size} in "
                        f"`{one.name}`"
                    )
        return found


def _is_shape(got: tuple[int, ...], declared: tuple[int | str, ...], sizes: dict[str, int]) -> bool:
    """Return whether `got` is the declared shape; a name that the request does not know is one size throughout."""
    if len(got) != len(declared):
        return False
    return all(
        size == (sizes.setdefault(dim, size) if isinstance(dim, str) else dim)
        for size, dim in zip(got, declared)
    )


def _cast(value: Any, one: Tensor, place: str) -> Any:
    """Return `value` as an array of the declared type, where that changes nothing; floats may be rounded."""
    if one.dtype == "string":
        return _strings(value, place)
    try:
        array = np.asarray(value)
    except Exception as error:  # a tensor of another library raises anything
        raise Failed(f"{place} is declared {one.dtype}, and is no array: {error}") from error
    wanted = np.dtype(_numpy(one))
    if array.dtype == wanted:
        return array
    if array.dtype.kind not in "biuf" or wanted.kind == "b":
        raise Failed(f"{place} is declared {one.dtype}, and is {_kind(value)}")
    if array.dtype.kind == "f" and wanted.kind in "iu":
        raise Failed(f"{place} is declared {one.dtype}, and is {_kind(array)}: round it in the function")
    with np.errstate(all="ignore"):
        cast = array.astype(wanted)
        back = cast.astype(array.dtype)
    is_kept = (
        np.isfinite(cast) == np.isfinite(array) if array.dtype.kind == "f" else _same_whole(array, cast, back)
    )
    if not np.all(is_kept):
        raise Failed(
            f"{place} is declared {one.dtype}, which does not hold {array[~is_kept].flat[0]} exactly"
        )
    return cast


def _same_whole(array: Any, cast: Any, back: Any) -> Any:
    """Return which whole numbers a cast has kept: -1 comes back from uint64 too, but not from below zero."""
    return (back == array) & ((cast < 0) == (array < 0))


def _strings(value: Any, place: str) -> Any:
    try:
        array = np.asarray(value, dtype=object)
        texts = [item.encode() if isinstance(item, str) else item for item in array.ravel()]
    except ValueError as error:  # rows of different lengths, or a text that UTF-8 does not have
        raise Failed(f"{place} is declared string, and cannot be one array of texts: {error}") from error
    odd = [item for item in texts if not isinstance(item, bytes)]
    if odd:
        raise Failed(f"{place} is declared string, and holds {_kind(odd[0])}")
    found = np.empty(len(texts), dtype=object)
    found[:] = texts
    return found.reshape(array.shape)


def _texts(value: Any) -> Any:
    return [_texts(one) for one in value] if isinstance(value, list) else value.decode()


def _numpy(one: Tensor) -> str:
    return _NUMPY.get(one.dtype, one.dtype)


def _annotated(parameter: inspect.Parameter) -> str:
    asked = parameter.annotation
    text = asked.__name__ if inspect.isclass(asked) and not hasattr(asked, "__args__") else str(asked)
    return text.replace("typing.", "").strip("'\"")


def _kind(value: Any) -> str:
    """Return in few words what a value is."""
    if isinstance(value, (np.ndarray, np.generic)):
        return f"{value.dtype}{_listed(value.shape)}"
    return "None" if value is None else f"a {type(value).__name__}"


def _shown(value: Any) -> str:
    """Return an input in few words: what a person needs to find it again."""
    if isinstance(value, bytes):
        return f"{len(value)} bytes"
    if isinstance(value, str):
        return repr(value if len(value) <= _MOST_SHOWN else f"{value[:_MOST_SHOWN]}...")
    if isinstance(value, list):
        return f"{len(value)} texts"
    return str(value) if isinstance(value, np.generic) else _kind(value)


def _place(error: BaseException) -> str:
    """Return the innermost line of the user's code that led to `error`."""
    frames = list(_own(traceback.extract_tb(error.__traceback__)))
    return f" (at {Path(frames[-1].filename).name}:{frames[-1].lineno})" if frames else ""


def _own(frames: Sequence[traceback.FrameSummary]) -> Iterator[traceback.FrameSummary]:
    installed = (str(Path(np.__file__).parent.parent), str(Path(traceback.__file__).parent))
    for frame in frames:
        mine = frame.filename != __file__ and not frame.filename.startswith((*installed, "<"))
        if mine and "/python{}.{}/".format(*sys.version_info[:2]) not in frame.filename:
            yield frame


def _listed(shape: Sequence[Any]) -> str:
    return "[{}]".format(", ".join(map(str, shape)))
