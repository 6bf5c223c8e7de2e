"""What one visitor of a workshop does, with a raw client or in a real browser, and what is noted of it."""

import asyncio
import contextlib
import time
import urllib.request
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import parse_qs, urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from benchmarks.workshop_live import Received
from benchmarks.workshop_page import PATIENCE_S, SPACE_COOKIE, NoAnswer, RawPage

RATES = ("0.001", "0.005")
"""The learning rates that each visitor chooses, in this order."""
METHOD = "integrated_gradients"
DONE, ENDED = 1000, ("stopped", "finished", "failed", "interrupted")
PATHS = ("/", "/_stcore/health", "/_stcore/host-config", "/vendor/plotly.min.js")
"""What a browser fetches before its page speaks."""
CLICKS = ("train", "rate", "explain", "back", "stop")


@dataclass
class Noted:
    """What one visitor saw."""

    received: Received = field(default_factory=Received)
    run: str = ""
    seconds: dict[str, list[float]] = field(default_factory=dict)
    """How long each kind of thing took: `open`, CLICKS, and `explanation`."""
    errors: list[str] = field(default_factory=list)

    @property
    def clicks(self) -> list[float]:
        return [wait for kind in CLICKS for wait in self.seconds.get(kind, [])]

    @asynccontextmanager
    async def timed(self, kind: str) -> AsyncIterator[None]:
        """Note how long the block takes."""
        began = time.monotonic()
        yield
        self.seconds.setdefault(kind, []).append(time.monotonic() - began)

    async def until(self, is_so: Callable[[], bool], words: str) -> None:
        """Return once it is so: looked at often enough that the wait is exact to 10 ms."""
        deadline = time.monotonic() + PATIENCE_S
        while not is_so():
            if time.monotonic() > deadline:
                raise NoAnswer(f"{words} within {PATIENCE_S:g} s")
            await asyncio.sleep(0.01)

    def holds(self, rate: str) -> bool:
        """Whether the curves have the mark of this learning rate."""
        return any(mark["kind"] == "hyper" and mark["new"] == float(rate) for mark in self.received.marks)


class Visitor(Protocol):
    """One who has the page open."""

    noted: Noted
    failures: tuple[type[Exception], ...]
    """What may be raised when something is not as it should be."""

    async def open(self) -> None: ...
    async def train(self) -> None: ...
    async def set_rate(self, rate: str) -> None: ...
    async def explain(self) -> None: ...
    async def stop(self) -> None: ...
    async def leave(self) -> None: ...


class RawVisitor:
    """Speaks the protocols of the page; sees what a browser would be sent."""

    failures = (NoAnswer, OSError, ConnectionClosed)

    def __init__(self, address: str, query: str, token: str, *, drops_out: bool = False) -> None:
        self.noted = Noted()
        self._address, self._query, self._token = address, query, token
        self._drops_out = drops_out
        self._page: RawPage | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._live: ClientConnection | None = None
        self._is_on_train = True

    @property
    def page(self) -> RawPage:
        if self._page is None:
            raise NoAnswer("the page is not open")
        return self._page

    async def open(self) -> None:
        async with self.noted.timed("open"):
            for path in PATHS:
                await asyncio.to_thread(self._get, path)
            self._page = await RawPage.opened(self._address, self._token, self._query)

    def _get(self, path: str) -> None:
        request = urllib.request.Request(f"http://{self._address}{path}", headers={"cookie": f"{SPACE_COOKIE}={self._token}"})
        with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:  # nosec B310 # our own; raises what is no success
            answer.read()

    async def train(self) -> None:
        async with self.noted.timed("train"):
            await self.page.press("header.train")
            self.noted.run = parse_qs(self.page.query).get("run", [""])[0]
            if not self.noted.run:
                raise NoAnswer("the page names no run")
        self._tasks = [asyncio.create_task(self._watch()), asyncio.create_task(self._tell_page())]

    async def set_rate(self, rate: str) -> None:
        await self.page.wait_for("train.learning_rate.0")  # it comes when the run has begun
        async with self.noted.timed("rate"):
            await self.page.choose("train.learning_rate.0", rate)
            await self.noted.until(lambda: self.noted.holds(rate), f"no mark of the learning rate {rate}")

    async def explain(self) -> None:
        if self._drops_out and self._live is not None:
            await self._live.close()  # as a laptop does whose network goes; it comes back with what it has
        self._is_on_train = False
        async with self.noted.timed("explanation"):
            async with self.noted.timed("explain"):
                await self.page.go("explain")
            await self.page.wait_for(f"explain.one.{METHOD}.figure")
        async with self.noted.timed("back"):
            await self.page.go("")
        self._is_on_train = True

    async def stop(self) -> None:
        async with self.noted.timed("stop"):
            await self.page.press("train.stop")
            await self.noted.until(lambda: self.noted.received.state == "stopped", "the run did not stop")
        await self._tasks[0]  # everything was sent

    async def leave(self, *, is_rude: bool = False) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._page is not None:
            await self._page.close(is_rude=is_rude)
            self.noted.errors += self._page.errors

    async def _watch(self) -> None:
        """Take what the run's socket sends until the run is over; come back when it was cut."""
        received = self.noted.received
        while True:
            query = f"since={received.step}&generation={received.generation}"
            address = f"ws://{self._address}/api/runs/{self.noted.run}/live?{query}"
            headers = {"cookie": f"{SPACE_COOKIE}={self._token}"}
            async with connect(address, max_size=None, additional_headers=headers, open_timeout=PATIENCE_S) as self._live:
                with contextlib.suppress(ConnectionClosed):
                    async for message in self._live:
                        received.take(message if isinstance(message, bytes) else message.encode())
            code = self._live.close_code
            if code == DONE and received.state in ENDED:
                return
            if code != DONE or not self._drops_out:
                self.noted.errors.append(f"the live socket was closed: {code}")

    async def _tell_page(self) -> None:
        """The curves tell the page each new state of the run, and when there is more beside them, as their script does."""
        known, n_told = "queued", 0
        while True:
            await asyncio.sleep(0.1)
            received = self.noted.received
            if not self._is_on_train or "train.curves" not in self.page.widgets:
                n_told = received.n_told  # a page that is opened later shows it
            elif received.state and received.state != known:
                known = received.state
                await self.page.tell("train.curves", "state", known)
            elif received.n_told > n_told:
                n_told = received.n_told
                await self.page.tell("train.curves", "told", str(n_told))


class BrowserVisitor:
    """A real browser: `page` is an open page of Playwright's, in a context of its own with the cookie of the space."""

    def __init__(self, address: str, query: str, page: Any) -> None:
        from playwright.async_api import Error

        self.failures = (NoAnswer, Error)
        self.noted = Noted()
        self._address, self._query, self._page = address, query, page
        self._listen()

    async def open(self) -> None:
        async with self.noted.timed("open"):
            await self._page.goto(f"http://{self._address}/?{self._query}")
            await self._main().get_by_role("button", name="Train").wait_for()
            await self._settled()

    async def train(self) -> None:
        async with self.noted.timed("train"):
            await self._main().get_by_role("button", name="Train").click()
            await self._page.wait_for_function("() => new URLSearchParams(location.search).has('run')")
            await self._settled()
        self.noted.run = parse_qs(urlsplit(self._page.url).query)["run"][0]

    async def set_rate(self, rate: str) -> None:
        slider = self._page.get_by_role("slider", name="Learning rate")
        await slider.focus()
        n = len(self.noted.received.marks)
        async with self.noted.timed("rate"):
            await self._page.keyboard.press("ArrowLeft" if rate == RATES[0] else "ArrowRight")
            await self.noted.until(lambda: len(self.noted.received.marks) > n, "no mark of the learning rate")
            await self._settled()

    async def explain(self) -> None:
        async with self.noted.timed("explanation"):
            async with self.noted.timed("explain"):
                await self._page.get_by_role("link", name="Explain", exact=True).click()
                await self._page.locator(".st-key-explain-top").wait_for()
                await self._settled()
            await self._page.locator(f".st-key-explain-one-panel-{METHOD} .js-plotly-plot").first.wait_for()
        async with self.noted.timed("back"):
            await self._page.get_by_role("link", name="Train", exact=True).click()
            await self._page.locator(".lw-live-curves").wait_for()
            await self._settled()

    async def stop(self) -> None:
        async with self.noted.timed("stop"):
            await self._main().get_by_role("button", name="Stop").click()
            await self.noted.until(lambda: self.noted.received.state == "stopped", "the run did not stop")
        await self._page.wait_for_function("() => document.querySelector('.lw-live-curves')?.dataset.state === 'stopped'")

    async def leave(self) -> None:
        await self._page.context.close()

    def _main(self) -> Any:
        return self._page.get_by_test_id("stMain")

    async def _settled(self) -> None:
        await self._page.wait_for_function(
            "() => { const app = document.querySelector('[data-testid=stApp]')?.dataset;"
            " return app?.testScriptState === 'notRunning' && app.testConnectionState === 'CONNECTED'; }"
        )

    def _listen(self) -> None:
        page, errors = self._page, self.noted.errors
        page.set_default_timeout(PATIENCE_S * 1000)
        page.on("pageerror", lambda error: errors.append(f"page error: {error}"))
        page.on("console", lambda line: errors.append(f"console: {line.text}") if line.type == "error" else None)
        page.on("response", lambda r: errors.append(f"{r.status} {r.url}") if r.status >= 400 else None)
        page.on("websocket", self._follow)

    def _follow(self, socket: Any) -> None:
        if "/live" not in socket.url:
            return
        if parse_qs(urlsplit(socket.url).query).get("since", ["0"])[0] == "0":
            self.noted.received.begin_again()

        def take(payload: object) -> None:
            if isinstance(payload, bytes):
                self.noted.received.take(payload)

        socket.on("framereceived", take)


async def play(visitor: Visitor, plan: Sequence[tuple[float, str]], began: float) -> None:
    """Let a visitor do what `plan` says at its times (seconds after `began`), except for leaving; note what fails."""
    rates = iter(RATES)
    acts: dict[str, Callable[[], Awaitable[None]]] = {
        "open": visitor.open,
        "train": visitor.train,
        "rate": lambda: visitor.set_rate(next(rates)),
        "explain": visitor.explain,
        "stop": visitor.stop,
    }
    for when, what in plan:
        await asyncio.sleep(max(0.0, began + when - time.monotonic()))
        try:
            await acts[what]()
        except visitor.failures as error:
            visitor.noted.errors.append(f"{what}: {type(error).__name__} {error}"[:300])
            return


def pooled(noted: Iterable[Noted], kind: str) -> list[float]:
    """All waits of one kind, sorted."""
    return sorted(wait for one in noted for wait in one.seconds.get(kind, []))
