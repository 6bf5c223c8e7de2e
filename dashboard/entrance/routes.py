"""The routes of the entrance: they look at what was typed, and give or take a cookie."""

from http import HTTPStatus
from urllib.parse import parse_qs

from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from dashboard.entrance.cookies import SPACE_S, set_cookie
from dashboard.entrance.gate import ENTER, ENTERED_COOKIE, has_pass
from dashboard.entrance.page import Said
from dashboard.entrance.places import code_page, host_page, safe_place, space_page
from dashboard.entrance.tries import Tries
from dashboard.secrets import HOST_S, PASS_S, Secrets, is_same, proof
from dashboard.security import is_same_origin
from dashboard.session.visitor import HOST_COOKIE, TOKEN_COOKIE, host_proof, is_host_proof, is_token, new_token
from dashboard.text import _

MAX_FORM_BYTES = 64_000


class Entrance:
    """What the routes share: the secrets, and how often somebody was wrong."""

    def __init__(self, secrets: Secrets, tries: Tries | None = None) -> None:
        self._secrets = secrets
        self._tries = Tries() if tries is None else tries

    def routes(self) -> list[BaseRoute]:
        """All of them. Each form is posted by a page of ours, or refused."""
        both = ["GET", "POST"]
        return [
            Route(ENTER, self.enter, methods=both),
            Route("/host", self.host, methods=both),
            Route("/space", self.space, methods=both),
        ]

    async def enter(self, request: Request) -> Response:
        """Takes the access code."""
        code = self._secrets.access_code
        if request.method == "GET":
            goes_to = safe_place(request.query_params.get("next", "/"))
            return code_page(Said(goes_to)) if code and not has_pass(request, code) else _redirect(goes_to)
        form = await _form(request)
        if isinstance(form, Response):
            return form
        said = self._judge(request, form, form.get("code", ""), code, _("This is not the access code."))
        if said.wrong:
            return code_page(said)
        answer = _redirect(said.goes_to)
        set_cookie(answer, ENTERED_COOKIE, proof("access", code, PASS_S), lifetime_s=PASS_S, connection=request)
        return answer

    async def host(self, request: Request) -> Response:
        """Makes this browser the host, or an ordinary one again."""
        is_host = is_host_proof(request.cookies.get(HOST_COOKIE, ""))
        if request.method == "GET":
            return host_page(Said(safe_place(request.query_params.get("next", "/"))), is_host=is_host)
        form = await _form(request)
        if isinstance(form, Response):
            return form
        if form.get("what") == "leave":
            answer = _redirect(safe_place(form.get("next", "/")))
            set_cookie(answer, HOST_COOKIE, "", lifetime_s=0, connection=request)
            return answer
        said = self._judge(request, form, form.get("key", ""), self._secrets.host_key, _("This is not the host's key."))
        if said.wrong:
            return host_page(said, is_host=is_host)
        answer = _redirect(said.goes_to)
        set_cookie(answer, HOST_COOKIE, host_proof(), lifetime_s=HOST_S, connection=request)
        return answer

    async def space(self, request: Request) -> Response:
        """Takes another space into this browser, or a fresh one."""
        if request.method == "GET":
            return space_page(Said(safe_place(request.query_params.get("next", "/"))))
        form = await _form(request)
        if isinstance(form, Response):
            return form
        goes_to = safe_place(form.get("next", "/"))
        wanted = form.get("key", "").strip() if form.get("what") == "take" else new_token()
        wrong = ""
        if form.get("what") == "fresh" and form.get("sure") != "yes":
            wrong = _("Say that the present space is no longer needed here.")
        elif not is_token(wanted):
            wrong = _("This is no private key: it has 43 letters, digits, - and _.")
        if wrong:
            return space_page(Said(goes_to, wrong, HTTPStatus.BAD_REQUEST))
        answer = _redirect(goes_to)
        set_cookie(answer, TOKEN_COOKIE, wanted, lifetime_s=SPACE_S, connection=request)
        return answer

    def _judge(self, request: Request, form: dict[str, str], given: str, secret: str, wrong: str) -> Said:
        """Whether the secret was given. Who was wrong too often is not even heard."""
        goes_to, address = safe_place(form.get("next", "/")), request.client.host if request.client else ""
        wait_s = self._tries.wait_s(address)
        if wait_s > 0:
            words = _("Too many wrong tries. Wait {n} seconds, then try again.").format(n=f"{wait_s + 1:.0f}")
            return Said(goes_to, words, HTTPStatus.TOO_MANY_REQUESTS, wait_s + 1)
        if is_same(given, secret):
            return Said(goes_to)
        self._tries.count(address)
        return Said(goes_to, wrong, HTTPStatus.FORBIDDEN)


async def _form(request: Request) -> dict[str, str] | Response:
    """What was posted; or a refusal, where it comes from no page of ours or is too large."""
    origin = request.headers.get("origin")
    if origin is None or not is_same_origin(origin, request.headers.get("host")):
        return PlainTextResponse("Use the form on this server's own page.", HTTPStatus.FORBIDDEN)
    body = bytearray()
    try:
        async for part in request.stream():
            body += part
            if len(body) > MAX_FORM_BYTES:
                return PlainTextResponse("This is too much for a form.", HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        found = parse_qs(body.decode("utf-8", "replace"), max_num_fields=20)
    except (ClientDisconnect, ValueError):
        return PlainTextResponse("This is no form.", HTTPStatus.BAD_REQUEST)
    return {name: values[0] for name, values in found.items()}


def _redirect(goes_to: str) -> RedirectResponse:
    """To a path of this site, after a form: the browser asks for it anew."""
    return RedirectResponse(goes_to, HTTPStatus.SEE_OTHER, {"cache-control": "no-store"})
