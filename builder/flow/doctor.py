"""`trb doctor`: what this machine has and what is missing, and what was left behind on it."""

from dataclasses import dataclass

from builder.errors import MissingTool
from builder.server.machine import Finding, findings


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """All findings about this machine."""

    findings: tuple[Finding, ...]

    def __str__(self) -> str:
        lines = []
        for one in self.findings:
            lines.append(f"{one.state:8} {one.name}: {one.detail}")
            lines += [f"         fix: {one.fix}"] if one.fix else []
        return "\n".join(lines)

    @property
    def exit_code(self) -> int:
        """0 when nothing that `trb` needs is missing."""
        return MissingTool.exit_code if any(one.state == "missing" for one in self.findings) else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Cleaned:
    """What was left behind, and is gone."""

    removed: tuple[str, ...]
    """Containers, by name."""
    kept: tuple[str, ...]
    """Containers of ours that are in use, detached, or of another machine."""

    def __str__(self) -> str:
        return "\n".join(
            [
                *(f"removed {one}" for one in self.removed or ("nothing: no container was left behind",)),
                *(f"kept {one}" for one in self.kept),
            ]
        )


def doctor() -> Diagnosis:
    """Look at everything `trb` needs; nothing is installed or started."""
    return Diagnosis(findings=tuple(findings()))


def clean() -> Cleaned:
    """Remove the containers of a `trb` that was killed, and no others.

    Raises:
        MissingTool: there is no Docker daemon, or we may not use it.
        ServerError: it does not answer.
    """
    from builder.server.docker.daemon import connected
    from builder.server.docker.strays import labelled, remove_strays

    with connected() as daemon:
        removed = remove_strays(daemon)
        kept = labelled(daemon)
    return Cleaned(removed=tuple(map(str, removed)), kept=tuple(map(str, kept)))
