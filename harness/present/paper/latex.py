r"""LaTeX: escaped text, tabulars, and floats; it needs no package but graphicx for pictures."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

_ESCAPED = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\char34{}",
}
# At the beginning of a row they would belong to the line break before it.
_AFTER_BREAK = ("[", "*")


def escaped(text: str) -> str:
    """Write text so that LaTeX prints it as it is; line breaks and control characters become spaces."""
    plain = "".join(letter if letter.isprintable() else " " for letter in text)
    found = "".join(_ESCAPED.get(letter, letter) for letter in plain)
    # Two hyphens would become a dash.
    return found.replace("--", "-{}-").replace("--", "-{}-")


def bold(text: str) -> str:
    """Write escaped text in bold."""
    return rf"\textbf{{{text}}}"


def row(cells: Sequence[str]) -> str:
    """A line of a tabular, of escaped texts."""
    guard = "{}" if cells[0].startswith(_AFTER_BREAK) else ""
    return guard + " & ".join(cells) + r" \\"


def tabular(alignment: str, header: Sequence[str], groups: Iterable[tuple[str, Sequence[Sequence[str]]]]) -> str:
    """A tabular in small print: a header, and groups of rows, each below a line with its name.

    Parameters
    ----------
    alignment : str
        Of the columns, as in ``lrr``.
    header : sequence of str
        Escaped, as all texts are.
    groups : iterable of tuple
        Names and rows.
    """
    lines = [r"{\footnotesize\setlength{\tabcolsep}{3pt}%", rf"\begin{{tabular}}{{@{{}}{alignment}@{{}}}}", r"\hline"]
    lines.append(row(header))
    for name, rows in groups:
        lines += [r"\hline", row([rf"\multicolumn{{{len(header)}}}{{@{{}}l@{{}}}}{{\textit{{{name}}}}}"])]
        lines += map(row, rows)
    return "\n".join([*lines, r"\hline", r"\end{tabular}}", ""])


def floating(kind: str, wide: bool, content: str, short: str, caption: str, label: str) -> str:
    """A float.

    Parameters
    ----------
    kind : str
        ``figure`` or ``table``.
    wide : bool
        Whether it spans both columns.
    content, short, caption : str
        Of LaTeX; the short caption is for lists of figures and tables.
    label : str
    """
    name = f"{kind}*" if wide else kind
    lines = [rf"\begin{{{name}}}[tbp]", r"\centering", content]
    told = [rf"\caption[{{{short}}}]{{{caption}}}", rf"\label{{{label}}}"]
    # Captions stand above tables and below figures.
    lines = [*lines[:2], *told, r"\smallskip", "", content] if kind == "table" else [*lines, *told]
    return "\n".join([*lines, rf"\end{{{name}}}", ""])


def document(floats: Iterable[str]) -> str:
    """A document of two columns that shows floats: to look at them, and to copy them from."""
    head = (
        "% Made by `contend paper`. Copy what you need: figures take \\usepackage{graphicx} and the folder figures/,",
        "% tables the folder tables/ and no package at all.",
        r"\documentclass[twocolumn]{article}",
        r"\usepackage[T1]{fontenc}",
        r"\usepackage{textcomp}",
        r"\usepackage{graphicx}",
        r"\usepackage[letterpaper,hmargin=0.67in,vmargin=0.8in,columnsep=0.33in]{geometry}",
        r"\begin{document}",
        "",
    )
    return "\n".join([*head, *(f"{one}\\clearpage\n" for one in floats), "\\end{document}", ""])
