"""A small page of our own: headings, sentences and forms, all of it escaped. It needs no script, and follows light and dark."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from starlette.responses import HTMLResponse

from dashboard.text import _

STYLE = """
:root { color-scheme: light dark;
  --back: #ffffff; --card: #f3f5f8; --text: #111418; --line: #8a94a3; --act: #0b5cad; --bad: #b3261e }
@media (prefers-color-scheme: dark) {
  :root { --back: #0f141a; --card: #1a212b; --text: #e9edf2; --line: #7c8999; --act: #2f6fbf; --bad: #ff9d94 }
}
* { box-sizing: border-box }
body { margin: 0; padding: 4rem 1rem; background: var(--back); color: var(--text); font: 1rem/1.5 system-ui, sans-serif }
main { max-width: 34rem; margin: 0 auto }
h1 { font-size: 1.75rem; line-height: 1.2; margin: 0 0 1rem }
h2 { font-size: 1.15rem; margin: 0 0 .5rem }
section { margin: 0 0 1.5rem; padding: 1.25rem; background: var(--card); border-radius: .4rem }
p { margin: 0 0 .75rem }
label { display: block; font-weight: 600; margin: 0 0 .25rem }
label.tick { font-weight: 400; margin: 0 0 .75rem }
input[type=text], input[type=password] { width: 100%; padding: .55rem .7rem; font: inherit; color: inherit;
  background: var(--back); border: 1px solid var(--line); border-radius: .4rem; margin: 0 0 .75rem }
button { padding: .55rem 1.1rem; font: inherit; font-weight: 600; color: #ffffff; background: var(--act); border: 0;
  border-radius: .4rem; cursor: pointer }
a { color: inherit }
:focus-visible { outline: 3px solid var(--act); outline-offset: 2px }
[role=alert] { padding: .6rem .8rem; border-left: 4px solid var(--bad); color: var(--bad); font-weight: 600 }
"""


@dataclass(frozen=True, slots=True)
class Field:
    """One thing to type."""

    name: str
    label: str
    is_hidden: bool = False
    """Whether what is typed is shown as dots."""


@dataclass(frozen=True, slots=True)
class Form:
    """A section of the page that posts to a route of ours."""

    title: str
    action: str
    button: str
    says: tuple[str, ...] = ()
    field: Field | None = None
    tick: str = ""
    """What has to be agreed to first."""
    id: str = ""
    """What the button tells the route, where several forms share one."""


@dataclass(frozen=True, slots=True)
class Said:
    """How a page answers."""

    goes_to: str = "/"
    """Where the browser goes afterwards, a path of this site."""
    wrong: str = ""
    """What did not work, said first."""
    status: int = 200
    wait_s: float = 0.0
    """For how long to wait before the next try, for programs."""


def page(title: str, forms: Sequence[Form], said: Said, *, has_back: bool = True) -> HTMLResponse:
    """A page of forms."""
    alert = f'<p role="alert">{escape(said.wrong)}</p>' if said.wrong else ""
    body = "".join(_form(form, said.goes_to, is_first=index == 0) for index, form in enumerate(forms))
    html = (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)} - Layerwise</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{STYLE}</style></head>'
        f"<body><main><h1>{escape(title)}</h1>{alert}{body}{_back(said.goes_to) if has_back else ''}</main></body></html>"
    )
    headers = {"cache-control": "no-store"} | ({"retry-after": f"{said.wait_s:.0f}"} if said.wait_s else {})
    return HTMLResponse(html, said.status, headers)


def _form(form: Form, goes_to: str, *, is_first: bool) -> str:
    says = "".join(f"<p>{escape(words)}</p>" for words in form.says)
    title = f"<h2>{escape(form.title)}</h2>" if form.title else ""
    return (
        f'<section><form method="post" action="{escape(form.action)}">{title}{says}{_field(form, is_first)}{_tick(form)}'
        f'<input type="hidden" name="next" value="{escape(goes_to)}">'
        f'<button type="submit" name="what" value="{escape(form.id)}">{escape(form.button)}</button></form></section>'
    )


def _field(form: Form, is_first: bool) -> str:
    field = form.field
    if field is None:
        return ""
    identity = f"{form.id}-{field.name}"
    kind = "password" if field.is_hidden else "text"
    focus = " autofocus" if is_first else ""
    return (
        f'<label for="{escape(identity)}">{escape(field.label)}</label>'
        f'<input type="{kind}" id="{escape(identity)}" name="{escape(field.name)}" required maxlength="200" autocomplete="off"'
        f' autocapitalize="none" spellcheck="false"{focus}>'
    )


def _tick(form: Form) -> str:
    if not form.tick:
        return ""
    return f'<label class="tick"><input type="checkbox" name="sure" value="yes" required> {escape(form.tick)}</label>'


def _back(goes_to: str) -> str:
    return f'<p><a href="{escape(goes_to)}">{escape(_("Back without a change"))}</a></p>'
