"""What a check has found, before it is a line on the terminal."""

from dataclasses import dataclass, replace

from builder.readspec.yaml_tree import Path


@dataclass(frozen=True, slots=True)
class Finding:
    """Something wrong at a place of trb.yaml."""

    path: Path
    message: str
    needs: tuple[Path, ...] = ()
    """Other places it was concluded from; it is not said when one of them is itself a mistake."""
    stands: bool = False
    """It is so whatever is wrong at or below its place, such as the name of a model."""


def moved(finding: Finding, under: Path) -> Finding:
    """Return `finding` with its places below `under`."""
    needs = tuple((*under, *need) for need in finding.needs)
    return replace(finding, path=(*under, *finding.path), needs=needs)


def follows(finding: Finding, dropped: list[Path]) -> bool:
    """Return whether `finding` may be only the consequence of a part at `dropped`."""
    places = finding.needs if finding.stands else (finding.path, *finding.needs)
    return any(
        gone[: len(place)] == place or place[: len(gone)] == gone for gone in dropped for place in places
    )
