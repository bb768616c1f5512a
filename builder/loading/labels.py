"""The names of the classes that an output tells apart."""

from pathlib import Path

from builder.errors import SourceError
from builder.spec.project import Model
from builder.spec.tensors import Tensor


def read_labels(model: Model, folder: Path, outputs: tuple[Tensor, ...]) -> dict[str, tuple[str, ...]]:
    """Return the labels of each output that has them.

    Raises:
        SourceError: the file cannot be read, or has not one line for each class.
    """
    shapes = {one.name: one.shape for one in outputs}
    return {
        name: _read(name, one.labels, folder, shapes.get(name, ()))
        for name, one in model.outputs.items()
        if one.labels is not None
    }


def _read(name: str, file: str, folder: Path, shape: tuple[int | str, ...]) -> tuple[str, ...]:
    where = f"outputs.{name}.labels"
    try:
        lines = (folder / file).read_text(encoding="utf-8-sig").splitlines()
    except FileNotFoundError:
        raise SourceError(
            f"{where}: there is no file {folder / file}", fix="write it first, or correct trb.yaml"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise SourceError(f"{where}: {file} cannot be read: {error}", fix="save it as UTF-8 text") from error
    if blank := [number for number, line in enumerate(lines, start=1) if not line.strip()]:
        raise SourceError(f"{where}: line {blank[0]} of {file} is empty", fix="write one name a line")
    classes = shape[-1] if shape else None
    if isinstance(classes, int) and len(lines) != classes:
        raise SourceError(
            f"{where}: {file} has {len(lines)} lines, and the last axis of `{name}` has {classes} places",
            fix="write one name for each place, in order",
        )
    return tuple(line.strip() for line in lines)
