"""A visitor's page without a browser: Streamlit's WebSocket protocol, as its front end speaks it.

It keeps the widgets that the page has, sends all their states with every message, obeys the timers of fragments that ask to
be run again, and notes everything that a visitor would call an error.
"""

import asyncio
import contextlib
import time
import urllib.request
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from typing import Any, Self

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.Delta_pb2 import Delta
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

SPACE_COOKIE, XSRF_COOKIE = "layerwise_space", "_streamlit_xsrf"
BOUNDARY = "a-file-of-a-visitor"
PATIENCE_S = 60.0
"""What has not been answered by then is an error."""
ASK_AGAIN_S = 3.0
REFUSED = "This did not work"
"""The badge of dashboard/widgets/failure.py."""
WIDGETS = ("button", "button_group", "slider", "selectbox", "number_input", "plotly_chart", "bidi_component", "download_button")


class NoAnswer(Exception):
    """The server did not do within PATIENCE_S what was asked."""


def put_file(page: "RawPage", path: str, name: str, data: bytes) -> None:
    """Put a file where the server said, with the token that keeps other sites from doing so.

    Raises:
        OSError: it was refused.
    """
    origin, own = f"http://{page.address}", f"{SPACE_COOKIE}={page.token}"
    request = urllib.request.Request(f"{origin}/_stcore/health", headers={"cookie": own})
    with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:  # nosec B310 # our own server
        cookies = [SimpleCookie(line) for line in answer.headers.get_all("set-cookie", [])]
    token = next((one[XSRF_COOKIE].value for one in cookies if XSRF_COOKIE in one), "")
    head = f'--{BOUNDARY}\r\ncontent-disposition: form-data; name="{name}"; filename="{name}"\r\n\r\n'
    body = head.encode() + data + f"\r\n--{BOUNDARY}--\r\n".encode()
    headers = {"content-type": f"multipart/form-data; boundary={BOUNDARY}", "cookie": f"{own}; {XSRF_COOKIE}={token}"}
    request = urllib.request.Request(origin + path, body, headers | {"x-xsrftoken": token}, method="PUT")
    urllib.request.urlopen(request, timeout=PATIENCE_S).close()  # nosec B310 # our own server


def key_in(widget_id: str) -> str:
    """The key that a page gave the widget with this id: `$$ID-<digest>-<key>`."""
    parts = widget_id.split("-", 2)
    return parts[2] if len(parts) == 3 and parts[0] == "$$ID" else ""


@dataclass
class RawPage:
    """One open page. Use `opened`; all methods belong to one event loop."""

    address: str
    """host:port."""
    token: str
    """Of the visitor's space."""
    errors: list[str] = field(default_factory=list)
    widgets: dict[str, tuple[str, Any]] = field(default_factory=dict)
    """What can be used: kind and message of each widget by its key. Those of the last run of the script stay, as in a browser,
    until the present one has ended without them."""
    query: str = ""
    pages: dict[str, str] = field(default_factory=dict)
    """Hash of each page by its address."""
    n_messages: int = 0
    n_bytes: int = 0
    n_begun: int = 0
    """Whole runs of the script that began (a fragment alone does not count), and the last of them that ended well."""
    n_ended: int = 0
    session: str = ""
    """Its id on the server, as an upload needs it."""
    _uploads: dict[str, str] = field(default_factory=dict)
    _page: str = ""
    _drawn: set[str] = field(default_factory=set)
    """Keys of the widgets that the present run of the script has drawn."""
    _states: dict[str, WidgetState] = field(default_factory=dict)
    _timers: dict[str, asyncio.Task[None]] = field(default_factory=dict)
    _changed: asyncio.Event = field(default_factory=asyncio.Event)
    _socket: ClientConnection | None = None
    _reading: asyncio.Task[None] | None = None

    @classmethod
    async def opened(cls, address: str, token: str, query: str) -> Self:
        """A page whose script has run once."""
        page = cls(address, token, query=query)
        page._socket = await connect(
            f"ws://{address}/_stcore/stream",
            subprotocols=["streamlit"],
            origin=f"http://{address}",
            additional_headers={"cookie": f"{SPACE_COOKIE}={token}"},
            max_size=None,
            open_timeout=PATIENCE_S,
        )
        page._reading = asyncio.create_task(page._read())
        await page._answered(page._rerun())
        return page

    async def close(self, *, is_rude: bool = False) -> None:
        """Leave, as a browser does that closes the tab, or as one whose network is gone."""
        self._stop_timers()
        if self._reading is not None:
            self._reading.cancel()
        if self._socket is not None and is_rude:
            self._socket.transport.abort()
        elif self._socket is not None:
            await self._socket.close()

    async def upload(self, name: str, data: bytes) -> None:
        """Send a file, as the uploader does before its widget tells the page of it."""
        message = BackMsg()
        request = message.file_urls_request
        request.request_id, request.session_id = name, self.session
        request.file_names.append(name)
        for patience_s in (ASK_AGAIN_S, PATIENCE_S):  # Streamlit drops its answer where a run of the script begins just then
            await self._send(message.SerializeToString())
            with contextlib.suppress(NoAnswer):
                await self._until(lambda: name in self._uploads, "no address for a file", patience_s)
                break
        else:
            raise NoAnswer("no address for a file")
        await asyncio.to_thread(put_file, self, self._uploads.pop(name), name, data)

    async def press(self, key: str) -> None:
        """Press a button; returns when the page has run."""
        await self._answered(self._rerun(WidgetState(id=self.id_of(key), trigger_value=True)))

    async def choose(self, key: str, option: str) -> None:
        """Choose an option of a select slider or a segmented control, by its text."""
        state = WidgetState(id=self.id_of(key))
        state.string_array_value.data.append(option)
        self._states[state.id] = state
        await self._answered(self._rerun())

    async def tell(self, key: str, event: str, value: str) -> None:
        """What the script of a component tells the page."""
        text = f'[{{"event":"{event}","value":"{value}"}}]'
        state = WidgetState(id=f"$$STREAMLIT_INTERNAL_KEY_{self.id_of(key)}__events", json_trigger_value=text)
        await self._answered(self._rerun(state))

    async def go(self, name: str) -> None:
        """Go to another screen, by its address ("" is the first one)."""
        self._page = self.pages[name]
        await self._answered(self._rerun())

    async def wait_for(self, key: str) -> None:
        """Return once the page has a widget with a key that begins so."""
        await self._until(lambda: any(known.startswith(key) for known in self.widgets), f"nothing called {key}")

    def id_of(self, key: str) -> str:
        """The id of the widget with this key, which must be there."""
        if key not in self.widgets:
            raise NoAnswer(f"the page has no {key}")
        return str(self.widgets[key][1].id)

    def _rerun(self, trigger: WidgetState | None = None, *, fragment: str = "") -> asyncio.Task[int]:
        """Send a message that runs the script (or one fragment of it) again; gives how many runs had begun before."""
        message = BackMsg()
        state = message.rerun_script
        state.query_string, state.page_script_hash, state.fragment_id = self.query, self._page, fragment
        state.is_auto_rerun = bool(fragment)
        state.context_info.timezone, state.context_info.locale = "UTC", "en-US"
        state.context_info.url = f"http://{self.address}/"
        state.widget_states.widgets.extend([*self._states.values(), *([trigger] if trigger is not None else [])])
        if not fragment:
            self._stop_timers()
        return asyncio.create_task(self._send(message.SerializeToString()))

    async def _send(self, data: bytes) -> int:
        begun = self.n_begun
        if self._socket is None:
            raise NoAnswer("the page is closed")
        await self._socket.send(data)
        return begun

    async def _answered(self, sending: asyncio.Task[int]) -> None:
        """Return once a run of the script that began after the message has ended well: one that asked for another has not."""
        begun = await sending
        await self._until(lambda: self.n_ended > begun, "the script did not end")

    async def _until(self, is_so: Any, words: str, patience_s: float = PATIENCE_S) -> None:
        deadline = time.monotonic() + patience_s
        while not is_so():
            if self._reading is None or self._reading.done():
                raise NoAnswer("the page's socket was closed")
            with contextlib.suppress(TimeoutError):  # wait_for of Python 3.11 may swallow that the task was cancelled
                async with asyncio.timeout(max(0.01, deadline - time.monotonic())):
                    await self._changed.wait()
            if time.monotonic() > deadline:
                raise NoAnswer(f"{words} within {patience_s:g} s")

    async def _read(self) -> None:
        if self._socket is None:
            return
        try:
            async for data in self._socket:
                message = ForwardMsg.FromString(data if isinstance(data, bytes) else data.encode())
                self.n_messages += 1
                self.n_bytes += len(data)
                self._take(message)
                self._changed.set()
                self._changed = asyncio.Event()
        except ConnectionClosed as closed:
            self.errors.append(f"the page's socket: {closed}")
        finally:
            self._changed.set()

    def _take(self, message: ForwardMsg) -> None:
        match message.WhichOneof("type"):
            case "new_session":
                self.session = message.new_session.initialize.session_id
                self._begin(list(message.metadata.run.fragment_ids))
            case "script_finished":
                self._end(message.script_finished)
            case "delta":
                self._draw(message.delta)
            case "page_info_changed":
                self.query = message.page_info_changed.query_string
            case "page_not_found" | "session_event":
                self.errors.append(f"{message}"[:300])
            case kind:
                self._steer(kind or "", message)

    def _steer(self, kind: str, message: ForwardMsg) -> None:
        """Where the page may go, and what it is to run again by itself."""
        if kind == "navigation":
            pages = message.navigation.app_pages
            self.pages = {"" if page.is_default else page.url_pathname: page.page_script_hash for page in pages}
            self._page = message.navigation.page_script_hash
        elif kind == "auto_rerun":
            self._repeat(message.auto_rerun.fragment_id, message.auto_rerun.interval)
        elif kind == "stop_auto_rerun":
            self._stop_timers(*message.stop_auto_rerun.fragment_ids)
        elif kind == "file_urls_response":
            urls = message.file_urls_response
            self._uploads[urls.response_id] = urls.file_urls[0].upload_url

    def _begin(self, fragments: list[str]) -> None:
        if fragments:
            return
        self.n_begun += 1
        self._drawn.clear()
        self._stop_timers()

    def _end(self, status: int) -> None:
        if status == ForwardMsg.FINISHED_SUCCESSFULLY:
            self.n_ended = self.n_begun
            for key in self.widgets.keys() - self._drawn:
                del self.widgets[key]
        elif status == ForwardMsg.FINISHED_WITH_COMPILE_ERROR:
            self.errors.append("the script did not compile")

    def _draw(self, delta: Delta) -> None:
        element = delta.new_element
        kind = element.WhichOneof("type") or ""
        if kind == "exception":
            self.errors.append(f"exception: {element.exception.type} {element.exception.message}"[:300])
        elif kind == "toast" or (kind == "markdown" and REFUSED in element.markdown.body):
            self.errors.append(f"refused: {element}"[:300])
        elif kind in WIDGETS:
            widget = getattr(element, kind)
            self.widgets[key_in(widget.id)] = (kind, widget)
            self._drawn.add(key_in(widget.id))

    def _repeat(self, fragment: str, interval: float) -> None:
        async def ticking() -> None:
            while True:
                await asyncio.sleep(interval)
                await self._rerun(fragment=fragment)

        self._stop_timers(fragment)
        self._timers[fragment] = asyncio.create_task(ticking())

    def _stop_timers(self, *fragments: str) -> None:
        """Those of some fragments, or all."""
        for fragment in fragments or tuple(self._timers):
            if timer := self._timers.pop(fragment, None):
                timer.cancel()
