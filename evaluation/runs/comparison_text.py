"""A comparison for a terminal and for a notebook."""

from html import escape
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from hansei.evaluation.runs.comparison import Comparison, MetricComparison

HEADINGS: Final = ("score", "pairs", "before", "after", "difference", "95 % interval", "up/down", "p (Holm)", "")


def comparison_text(comparison: "Comparison") -> str:
    """Lines of a terminal."""
    lines = [_heading(comparison)]
    rows = [HEADINGS, *(_cells(each) for each in comparison.metrics)]
    if len(rows) == 1:
        return f"{lines[0]}\n  no score is in both runs"
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADINGS))]
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        lines.append(f"  {'  '.join(cells)}".rstrip())
    effects = [_effect(each) for each in comparison.metrics]
    return "\n".join([*lines, *(f"  {text}" for text in effects)])


def comparison_html(comparison: "Comparison") -> str:
    """A table of a notebook."""
    head = "".join(f"<th>{escape(each)}</th>" for each in HEADINGS)
    body = "".join(
        f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in _cells(each))}</tr>" for each in comparison.metrics
    )
    notes = "".join(f"<li>{escape(_effect(each))}</li>" for each in comparison.metrics)
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table><ul>{notes}</ul>"
    return f"<p>{escape(_heading(comparison))}</p>{table if body else '<p>no score is in both runs</p>'}"


def _heading(comparison: "Comparison") -> str:
    text = f"{comparison.before} → {comparison.after}: {comparison.pairs} rows in both"
    alone = [
        f"{number} only in {name}"
        for number, name in (
            (comparison.only_before, comparison.before),
            (comparison.only_after, comparison.after),
        )
        if number
    ]
    return f"{text} ({', '.join(alone)}, left out)" if alone else text


def _cells(each: "MetricComparison") -> tuple[str, ...]:
    found = each.found
    ends = found.interval
    interval = f"{ends[0]:+.3g} to {ends[1]:+.3g}" if ends else "not known"
    p_value = "" if each.adjusted_p is None else p_text(each.adjusted_p)
    return (
        each.name, str(found.pairs), f"{found.before:.4g}", f"{found.after:.4g}", f"{found.difference:+.4g}", interval,
        f"{found.higher}/{found.lower}", p_value, each.verdict,
    )  # fmt: skip


def _effect(each: "MetricComparison") -> str:
    found = each.found
    effect = "nothing changed" if found.effect is None else f"{found.effect_name} {found.effect:+.2f}"
    spread = "" if found.cohens_dz is None else f", Cohen's dz {found.cohens_dz:+.2f}"
    return f"{each.name}: {found.test}, {effect}{spread}"


def p_text(p_value: float) -> str:
    """A p-value as papers print it."""
    return "< 0.001" if p_value < 0.001 else f"{p_value:.3f}"
