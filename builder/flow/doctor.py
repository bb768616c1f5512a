"""`trb doctor`: what this machine has and what is missing."""

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


def doctor() -> Diagnosis:
    """Look at everything `trb` needs; nothing is installed or started."""
    return Diagnosis(findings=tuple(findings()))
