"""A page of HTML that needs nothing but itself: text, tables, charts, one script. It opens offline and prints.

Its policy forbids every request and every script but the two whose digests it names, so that a name that somebody typed
could do nothing even if it were not escaped.
"""

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import plotly.graph_objects as go

from dashboard.figures import theme


@dataclass(frozen=True, slots=True)
class Chart:
    """One chart in both themes, with its text for those who do not see it."""

    light: go.Figure
    dark: go.Figure
    alt: str
    caption: str = ""
    is_narrow: bool = False
    """Two of them fit beside each other."""


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of text; the first cell of a row says what the row is."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Folded:
    """A long text that is closed at first."""

    title: str
    text: str


Part = Chart | Table | Folded | str


@dataclass(frozen=True, slots=True)
class Section:
    """A heading, and what stands below it."""

    title: str
    parts: tuple[Part, ...]


STYLE = """
:root { color-scheme: light dark; --ink: #1f2430; --quiet: #5b6270; --line: #d7dbe2; --paper: #ffffff; --soft: #f5f6f8; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6e9ef; --quiet: #a6adbb; --line: #3a404c; --paper: #14171d; --soft: #1d2129; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 64rem; padding: 1.5rem; background: var(--paper); color: var(--ink);
  font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0 0 .25rem; }
h2 { font-size: 1.2rem; margin: 2.2rem 0 .6rem; border-bottom: 1px solid var(--line); padding-bottom: .25rem; }
p { margin: .5rem 0; } .lead, figcaption { color: var(--quiet); }
.parts { display: flex; flex-wrap: wrap; gap: 0 1rem; } .parts > * { flex: 1 1 100%; min-width: 0; margin: .5rem 0; }
.parts > figure.narrow { flex: 1 1 20rem; max-width: 31rem; }
figure { margin: 0; } figcaption { font-size: .9rem; }
.table { overflow-x: auto; } table { border-collapse: collapse; font-size: .93rem; }
th, td { text-align: left; vertical-align: top; padding: .25rem .9rem .25rem 0; border-bottom: 1px solid var(--line); }
th { font-weight: 600; } tbody th { font-weight: 400; color: var(--quiet); }
pre { background: var(--soft); padding: .8rem; overflow: auto; font-size: .82rem; white-space: pre-wrap; }
summary { cursor: pointer; }
@media print { :root { --ink: #000; --quiet: #444; --line: #bbb; --paper: #fff; --soft: #fff; color-scheme: light; }
  body { max-width: none; padding: 0; } figure, table, h2 { break-inside: avoid; } h2 { break-after: avoid; } }
"""
SCRIPT = """
(() => {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const draw = (isDark) => {
    for (const box of document.querySelectorAll(".chart")) {
      const told = JSON.parse(box.previousElementSibling.textContent)[isDark ? "dark" : "light"];
      Plotly.react(box, told.data, told.layout, { displaylogo: false, responsive: true });
    }
  };
  draw(dark.matches);
  dark.addEventListener("change", () => draw(dark.matches));
  addEventListener("beforeprint", () => draw(false));
  addEventListener("afterprint", () => draw(dark.matches));
})();
"""


def page(title: str, lead: str, sections: Sequence[Section]) -> str:
    """The whole page. Every text is escaped here, and nowhere before."""
    from plotly.offline import get_plotlyjs

    library = get_plotlyjs().replace("\r\n", "\n").replace("\r", "\n")  # as a browser reads it, whose digest is meant
    scripts = [library, SCRIPT]
    policy = "; ".join(
        [
            "default-src 'none'",
            f"script-src {' '.join(digest(script) for script in scripts)}",
            "style-src 'unsafe-inline'",  # plotly makes its own
            "img-src data: blob:",
            "base-uri 'none'",
            "form-action 'none'",
        ]
    )
    body = "\n".join(_section(section) for section in sections)
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n"
        f'<header>\n<h1>{escape(title)}</h1>\n<p class="lead">{escape(lead)}</p>\n</header>\n<main>\n{body}\n</main>\n'
        + "".join(f"<script>{script}</script>\n" for script in scripts)
        + "</body>\n</html>\n"
    )


def digest(script: str) -> str:
    """How a policy names a script that may run."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"


def _section(section: Section) -> str:
    parts = "\n".join(_part(part) for part in section.parts)
    return f'<section>\n<h2>{escape(section.title)}</h2>\n<div class="parts">\n{parts}\n</div>\n</section>'


def _part(part: Part) -> str:
    match part:
        case Chart():
            return _chart(part)
        case Table():
            return _table(part)
        case Folded():
            text = f"<summary>{escape(part.title)}</summary>\n<pre>{escape(part.text)}</pre>"
            return f"<details>\n{text}\n</details>"
    return f"<p>{escape(part)}</p>"


def _chart(chart: Chart) -> str:
    drawn = {"light": chart.light, "dark": chart.dark}
    told = ",".join(f'"{name}":{_plain(figure)}' for name, figure in drawn.items())
    words = chart.caption or chart.alt
    return (
        f'<figure class="{"narrow" if chart.is_narrow else "wide"}">\n'
        f'<script type="application/json">{{{told}}}</script>'
        f'<div class="chart" role="group" aria-label="{escape(chart.alt)}"></div>\n'
        f"<figcaption>{escape(words)}</figcaption>\n</figure>"
    )


def _plain(figure: go.Figure) -> str:
    """The figure as JSON that cannot end the element in which it stands."""
    placed = go.Figure(figure).update_layout(autosize=True, width=None, paper_bgcolor=theme.CLEAR)
    text: str = placed.to_json()
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _table(table: Table) -> str:
    head = "".join(f'<th scope="col">{escape(word)}</th>' for word in table.head)
    rows = "\n".join(
        f'<tr><th scope="row">{escape(row[0])}</th>{"".join(f"<td>{escape(cell)}</td>" for cell in row[1:])}</tr>'
        for row in table.rows
    )
    top = f"<thead><tr>{head}</tr></thead>\n" if any(table.head) else ""
    return f'<div class="table"><table>\n{top}<tbody>\n{rows}\n</tbody>\n</table></div>'
