"""What is inside each Triton release. The table is data, with its sources: data/releases.json."""

import difflib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from builder.errors import SpecError


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """One monthly release of Triton."""

    name: str
    """Such as 24.10."""
    server: str
    """Version of the server core, such as 2.51.0."""
    onnxruntime: str
    """Version of ONNX Runtime in its image."""
    max_opset: int
    """Highest ONNX opset that ONNX Runtime loads."""
    max_ir: int
    """Highest ONNX IR version that ONNX Runtime loads."""
    torch: str | None
    """The public torch version nearest to its libtorch, such as 2.5; None: not known."""
    python: str
    """The image's Python, such as 3.10."""

    @property
    def key(self) -> tuple[int, ...]:
        """Orders releases by time."""
        return tuple(int(part) for part in self.name.split("."))


@cache
def _table() -> Mapping[str, Any]:
    text = (files("builder.spec") / "data" / "releases.json").read_text(encoding="utf-8")
    table: Mapping[str, Any] = json.loads(text)
    return table


def sources() -> Mapping[str, str]:
    """Return where each part of the table comes from."""
    found: Mapping[str, str] = _table()["sources"]
    return found


def news() -> Mapping[str, Sequence[str]]:
    """Return what came with a release beside newer versions, by its name."""
    found: Mapping[str, Sequence[str]] = _table()["news"]
    return found


@cache
def releases() -> tuple[Release, ...]:
    """Return every known release, oldest first."""
    return tuple(
        Release(
            name=row["release"],
            server=row["triton_version"],
            onnxruntime=row["onnxruntime"],
            max_opset=row["max_onnx_opset"],
            max_ir=row["max_onnx_ir"],
            torch=row["pytorch_base"],
            python=row["python"],
        )
        for row in _table()["releases"]
    )


def release(name: str) -> Release:
    """Return the release called `name`, such as 24.10.

    Raises:
        SpecError: there is none.
    """
    for one in releases():
        if one.name == name:
            return one
    known = [one.name for one in releases()]
    longer = [one for one in known if name and one.startswith(name)]
    near = next(iter(longer or difflib.get_close_matches(name, known, n=1, cutoff=0.75)), "24.10")
    raise SpecError(
        f"Triton release {name} is not known", fix=f"use one from {known[0]} to {known[-1]}, such as {near}"
    )


def release_of(server: str) -> Release:
    """Return the release whose server core has this version, such as 2.51.0; a KeyError where none has."""
    return {one.server: one for one in releases()}[server]


def first_release_with(*, opset: int = 0, ir: int = 0) -> Release | None:
    """Return the oldest release that loads ONNX files of this opset and IR version; None if none does."""
    return next((one for one in releases() if one.max_opset >= opset and one.max_ir >= ir), None)
