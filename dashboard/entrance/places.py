"""The pages of the entrance, and where a browser may be sent from them."""

from urllib.parse import unquote, urlsplit

from starlette.requests import Request
from starlette.responses import HTMLResponse

from dashboard.entrance.page import Field, Form, Said, page
from dashboard.text import _

MAX_PLACE = 20_000
OURS = ("/enter", "/host", "/space")


def here(request: Request) -> str:
    """The path and query that were asked for."""
    query = request.url.query
    return safe_place(request.url.path + (f"?{query}" if query else ""))


def safe_place(wanted: str) -> str:
    """A path of this site with its query; the first page in place of anything else, such as `//evil.example`."""
    try:
        parts = urlsplit(wanted)
    except ValueError:
        return "/"
    is_path = wanted[:1] == "/" != wanted[1:2] and not parts.scheme and not parts.netloc and len(wanted) <= MAX_PLACE
    path = unquote(parts.path)
    is_plain = wanted.isascii() and wanted.isprintable() and " " not in wanted and "\\" not in unquote(wanted)
    is_elsewhere = path.startswith("//") or any(path == one or path.startswith(f"{one}/") for one in OURS)
    return wanted if is_path and is_plain and not is_elsewhere else "/"


def code_page(said: Said) -> HTMLResponse:
    """Asks for the access code."""
    says = _("Your host has told you a code for this workshop. Cookies must be on: the browser remembers that you gave it.")
    form = Form("", "/enter", _("Enter"), (says,), Field("code", _("Access code")), id="enter")
    return page(_("Welcome to Layerwise"), [form], said, has_back=False)


def host_page(said: Said, *, is_host: bool) -> HTMLResponse:
    """Makes this browser the host, or an ordinary one again."""
    if is_host:
        says = _("This browser is the host: it sees how the server is doing, and may stop and delete everybody's runs.")
        form = Form("", "/host", _("Leave host"), (says,), id="leave")
    else:
        says = _("The host sees how the server is doing, and may stop and delete everybody's runs.")
        form = Form("", "/host", _("Become host"), (says,), Field("key", _("Host key"), is_hidden=True), id="become")
    return page(_("Host"), [form], said)


def space_page(said: Said) -> HTMLResponse:
    """Takes another space into this browser, or a fresh one."""
    take = Form(
        _("Open a space that you have elsewhere"),
        "/space",
        _("Open this space"),
        (_("Give the private key that My space shows in the other browser. Tabs that are open here stay as they are."),),
        Field("key", _("Private key"), is_hidden=True),
        id="take",
    )
    fresh = Form(
        _("Start a fresh space"),
        "/space",
        _("Start afresh"),
        (_("What is in the present space stays on the server, and opens with its private key alone."),),
        tick=_("I have kept the private key of the present space, or need it no more."),
        id="fresh",
    )
    return page(_("My space"), [take, fresh], said)
