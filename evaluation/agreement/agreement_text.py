"""A judge's agreement with people for a terminal and for a notebook."""

from collections.abc import Iterator, Sequence
from html import escape
from typing import TYPE_CHECKING

from hansei.feedback.labeling.resampling import Coefficient

if TYPE_CHECKING:
    from hansei.evaluation.agreement.judge_agreement import JudgeAgreement

Table = tuple[str, Sequence[Sequence[str]]]
"""A title, and rows, the first one of headings."""


def agreement_text(agreement: "JudgeAgreement") -> str:
    """Lines of a terminal."""
    lines = [_heading(agreement)]
    for title, rows in _tables(agreement):
        widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
        lines.append(title)
        for row in rows:
            cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
            lines.append(f"  {'  '.join(cells)}".rstrip())
    return "\n".join(lines)


def agreement_html(agreement: "JudgeAgreement") -> str:
    """Tables of a notebook."""
    parts = [f"<p>{escape(_heading(agreement))}</p>"]
    for title, rows in _tables(agreement):
        head = "".join(f"<th>{escape(cell)}</th>" for cell in rows[0])
        body = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows[1:])
        caption = f"<caption>{escape(title)}</caption>"
        parts.append(f"<table>{caption}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>")
    return "".join(parts)


def told(found: Coefficient) -> str:
    """A figure with its interval, or why there is none."""
    if found.value is None:
        return found.reason or "not known"
    if found.low is None or found.high is None:
        return f"{found.value:.3f}"
    return f"{found.value:.3f} ({found.low:.3f} to {found.high:.3f})"


def _heading(agreement: "JudgeAgreement") -> str:
    label = "" if agreement.label_name == agreement.judge_name else f" ({agreement.label_name})"
    text = f"{agreement.judge_name} against people{label}: {agreement.pairs} judged by both"
    if agreement.undecided:
        text += f", {agreement.undecided} left out because people disagree"
    if agreement.unjudged:
        text += f", {agreement.unjudged} labelled but not judged"
    return text


def _tables(agreement: "JudgeAgreement") -> Iterator[Table]:
    rows = [("agreement", told(agreement.agreement)), ("Cohen's kappa", told(agreement.kappa)),
            ("Krippendorff's alpha", told(agreement.alpha))]  # fmt: skip
    if agreement.mean_difference.value is not None:
        rows.append(("judge less people", told(agreement.mean_difference)))
    yield f"agreement, 95 % interval{f': {agreement.kind}' if agreement.kind else ''}", [("", ""), *rows]
    if agreement.classes:
        lines = [(name, *(f"{count:,}" for count in row)) for name, row in _lines(agreement)]
        yield "confusion", [("judge \\ people", *agreement.classes), *lines]
        of_class = [(each.name, told(each.precision), told(each.recall), told(each.f1)) for each in agreement.by_class]
        yield "by class", [("class", "precision", "recall", "F1"), *of_class]
    if len(agreement.periods) > 1:
        over_time = [
            (each.label, str(each.pairs), told(each.agreement), told(each.kappa)) for each in agreement.periods
        ]
        yield f"by {agreement.period}", [("from", "pairs", "agreement", "kappa"), *over_time]
    if len(agreement.versions) > 1:
        of_version = [
            (each.version or "(none)", str(each.pairs), told(each.agreement), told(each.kappa))
            for each in agreement.versions
        ]
        yield "by version of the judge", [("version", "pairs", "agreement", "kappa"), *of_version]


def _lines(agreement: "JudgeAgreement") -> list[tuple[str, Sequence[int]]]:
    return list(zip(agreement.classes, agreement.confusion, strict=True))
