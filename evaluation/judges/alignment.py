"""What came of aligning a judge with people."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape

from hansei.evaluation.agreement.agreement_text import told
from hansei.evaluation.runs.comparison_text import p_text
from hansei.feedback.labeling.resampling import Coefficient


@dataclass(frozen=True, slots=True)
class Candidate:
    """A judge that was tried."""

    name: str
    """``original``, ``examples``, ``instructions``, ``instructions and examples``, or ``optimizer``."""
    closeness: float | None
    """To people on the validation part: the share of the examples of which both say the same; of numbers and lists how
    near they are on average. None where it was not tried."""
    note: str = ""
    """Why it was not tried, or what it has that the original has not."""


@dataclass(frozen=True, slots=True)
class Alignment:
    """How a judge was aligned, and whether it is better for it. What was held out was not seen before the end."""

    aligned: bool
    """Whether the judge that was answered is a new one; else it is the one that was given."""
    message: str
    """Why."""
    fitted: int
    """Examples from which candidates were made."""
    validated: int
    """Examples by which one of them was chosen."""
    held_out: int
    """Examples by which it was compared with the original."""
    undecided: int
    """Traces that were left out because people disagree about them."""
    candidates: Sequence[Candidate]
    chosen: str
    """The name of the candidate that was compared with the original."""
    agreement_before: Coefficient = field(default_factory=Coefficient)
    agreement_after: Coefficient = field(default_factory=Coefficient)
    """With people, on the held-out part, with Wilson's intervals."""
    kappa_before: Coefficient = field(default_factory=Coefficient)
    kappa_after: Coefficient = field(default_factory=Coefficient)
    difference: float | None = None
    """Of closeness on the held-out part."""
    interval: tuple[float, float] | None = None
    p_value: float | None = None
    test: str = ""

    def __str__(self) -> str:
        rows = self._rows()
        width = max(len(left) for left, _ in rows)
        return "\n".join([self.message, *(f"  {left.ljust(width)}  {right}" for left, right in rows)])

    def _repr_html_(self) -> str:
        body = "".join(f"<tr><th>{escape(left)}</th><td>{escape(right)}</td></tr>" for left, right in self._rows())
        return f"<p>{escape(self.message)}</p><table>{body}</table>"

    def _rows(self) -> list[tuple[str, str]]:
        rows = [("examples", f"{self.fitted} to learn, {self.validated} to choose, {self.held_out} held out")]
        if self.undecided:
            rows.append(("left out", f"{self.undecided} about which people disagree"))
        for each in self.candidates:
            tried = "not tried" if each.closeness is None else f"{each.closeness:.3f} on the {self.validated}"
            rows.append((each.name, f"{tried}{f': {each.note}' if each.note else ''}"))
        if self.difference is not None and self.p_value is not None:
            ends = f" ({self.interval[0]:+.3f} to {self.interval[1]:+.3f})" if self.interval else ""
            rows += [
                ("agreement", f"{told(self.agreement_before)} → {told(self.agreement_after)}"),
                ("Cohen's kappa", f"{told(self.kappa_before)} → {told(self.kappa_after)}"),
                ("difference", f"{self.difference:+.3f}{ends}, {self.test}, p {_with_sign(p_text(self.p_value))}"),
            ]
        return rows


def _with_sign(text: str) -> str:
    return text if text.startswith("<") else f"= {text}"
