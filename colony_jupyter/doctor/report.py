"""What the doctor reports."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field


class Mark(enum.Enum):
    """Severity of a finding."""

    FINE = "ok"
    WARNING = "warning"
    FAILURE = "FAILURE"


@dataclass(frozen=True)
class Finding:
    """Result of one check.

    Attributes:
        mark: its severity.
        subject: what was checked, in a word.
        text: what was found; of warnings and failures with the remedy.
    """

    mark: Mark
    subject: str
    text: str


@dataclass
class Report:
    """All findings; its repr has one line for each."""

    findings: list[Finding] = field(default_factory=list)

    @property
    def failed(self) -> bool:
        """Whether a check failed."""
        return any(finding.mark is Mark.FAILURE for finding in self.findings)

    @property
    def exit_status(self) -> int:
        """Exit status of the command: 1 if a check failed, 0 otherwise."""
        return 1 if self.failed else 0

    def __repr__(self) -> str:
        return "\n".join(f"{each.mark.value:<8}{each.subject:<12}{each.text}" for each in self.findings)
