"""A workshop: thirty visitors on one small server, each trains the digits MLP, watches it, changes it and has it explained.

The real server and supervisor with the workshop's settings and a data folder of their own, and beside them on the same machine
the visitors: raw clients that speak Streamlit's WebSocket protocol, our live WebSocket and HTTP, and three Chromium driven by
Playwright (at nice 5: in a workshop they are other machines). The network is `mlp-64-64` on the 8 x 8 digits, 32 examples in a
step, for so many epochs that nobody's run ends before it is stopped.

Each visitor opens the page by a link that holds the experiment (all within 8 s), presses Train (all within 5 s), then in any
order and at random moments changes the learning rate twice and goes to Explain and back, and at last (all within 10 s) stops
the run. A raw page does what a browser's does: it sends all widget states with each message, runs polling fragments when their
timers say so, and tells the page each new state of the run. Every third raw visitor loses the live socket once and comes back
with what it has.

A click is one message of a widget, or one change of the screen. It is answered when the run of the script that it caused, and
any that this one asked for, has ended, and its effect is there: for Train the address names the run, for the learning rate the
mark is on the curves (so the worker has it), for Stop the curves say so. An explanation is answered when the picture of
integrated gradients is on the page, counted from the click on Explain, which also asks for all else that this screen shows.

Last line, one object: errors (a refusal, an exception on a page, a page or console error, a status of 400 and more, a socket
closed that should not be, a traceback in a log), lost_points (steps of the store that the run's viewer did not get exactly
once), click_p95_s and click_median_s, explain_p95_s and explain_median_s, updates_per_second of the slowest visitor and
updates_median (messages with new steps, while all train), slowest_over_median (steps that the median visitor's run made while
all trained, over those of the slowest: 1 is fair), open_p95_s (the first page), memory in MB (PSS) of server, supervisor and
all workers together, server_cores and supervisor_cores (processor seconds per second), n_visitors.
"""

import argparse
import asyncio
import json
import os
import random
import secrets
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

from benchmarks.workshop_live import lost_points
from benchmarks.workshop_page import SPACE_COOKIE
from benchmarks.workshop_place import Place, Process, children, place, stored_losses
from benchmarks.workshop_visitors import CLICKS, BrowserVisitor, Noted, RawVisitor, Visitor, play, pooled
from core.data.rendered import Digits
from core.experiment.codec import link_text
from core.experiment.experiment import Budget, Experiment, Lane
from core.models.presets import preset
from core.optim.optimizers import Adam

CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run", "--disable-component-update")
OPEN_S, TRAIN_S, TRAIN_FOR_S, ACT_S, SETTLE_S = 8.0, 12.0, 5.0, 22.0, 5.0
"""Pages are opened until OPEN_S; Train is pressed from TRAIN_S on for TRAIN_FOR_S; from ACT_S on things are changed."""
STOP_FOR_S = 10.0
"""Stop is pressed within this time."""
BROWSER_NICE = 5
LINK_TEXT = "x="


def experiment() -> Experiment:
    """What everybody trains."""
    return Experiment(
        data=Digits(),
        model=preset("mlp-64-64").model(10),
        lanes=(Lane(optimizer=Adam(lr=0.002)),),
        batch_size=32,
        budget=Budget(epochs=5000),
    )


def plan(random_of: random.Random, seconds: float) -> list[tuple[float, str]]:
    """What one visitor does when; `seconds` are those in which things are changed."""
    acts = ["rate", "rate", "explain"]
    random_of.shuffle(acts)
    moments = sorted(random_of.uniform(0, seconds) for _ in acts)
    opened, trained = random_of.uniform(0, OPEN_S), TRAIN_S + random_of.uniform(0, TRAIN_FOR_S)
    changes = [(ACT_S + moment, act) for moment, act in zip(moments, acts, strict=True)]
    return [(opened, "open"), (trained, "train"), *changes]


@asynccontextmanager
async def browsers(n: int, address: str, query: str) -> AsyncIterator[list[BrowserVisitor]]:
    """`n` visitors with a Chromium each."""
    if n == 0:
        yield []
        return
    from playwright.async_api import async_playwright

    older = children()
    async with async_playwright() as playwright, AsyncExitStack() as stack:
        for driver in children() - older:  # before it starts browsers, which take its priority over
            os.setpriority(os.PRIO_PROCESS, driver, BROWSER_NICE)
        found = []
        for _ in range(n):
            chromium = await playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
            stack.push_async_callback(chromium.close)
            context = await chromium.new_context(viewport={"width": 1440, "height": 900}, reduced_motion="reduce")
            await context.add_cookies([{"name": SPACE_COOKIE, "value": secrets.token_urlsafe(32), "url": f"http://{address}"}])
            found.append(BrowserVisitor(address, query, await context.new_page()))
        yield found


async def visit(there: Place, options: argparse.Namespace) -> dict[str, Any]:
    """The whole workshop; all figures."""
    query, luck = LINK_TEXT + link_text(experiment()), random.Random(options.seed)  # nosec B311 # repeatable
    tokens = [secrets.token_urlsafe(32) for _ in range(options.visitors - options.browsers)]
    raw = [RawVisitor(there.address, query, token, drops_out=i % 3 == 0) for i, token in enumerate(tokens)]
    async with browsers(options.browsers, there.address, query) as real:
        everybody: list[Visitor] = [*real, *raw]
        began = time.monotonic()
        plans = [plan(luck, options.seconds) for _ in everybody]
        playing = [asyncio.create_task(play(one, acts, began)) for one, acts in zip(everybody, plans, strict=True)]
        begin, end = began + ACT_S, began + ACT_S + options.seconds
        await asyncio.sleep(begin - time.monotonic())
        before = await asyncio.to_thread(there.processes)
        await asyncio.sleep(end - time.monotonic())
        after = await asyncio.to_thread(there.processes)
        await asyncio.gather(*playing)
        ends = [time.monotonic() - began + luck.uniform(0, STOP_FOR_S) for _ in everybody]
        stopping = zip(everybody, ends, strict=True)
        await asyncio.gather(*(play(one, [(at, "stop")], began) for one, at in stopping if not one.noted.errors))
        await asyncio.gather(*(one.leave() for one in everybody))
    noted = [one.noted for one in everybody]
    for kind in ("open", *CLICKS, "explanation"):
        print(f"{kind}, clients:", waits(raw, kind), "browsers:", waits(real, kind), flush=True)
    figures = speed(noted) | fairness(noted, begin, end)
    figures |= {f"{kind}_mb": round(sum(one.pss_mb for one in found), 1) for kind, found in after.items()}
    figures |= {f"{kind}_cores": cores(before[kind], after[kind], options.seconds) for kind in ("server", "supervisor")}
    return figures | truth(there, noted) | {"n_visitors": len(noted), "n_browsers": len(real)}


def speed(noted: Sequence[Noted]) -> dict[str, Any]:
    """Waits, in seconds."""
    clicks = sorted(wait for one in noted for wait in one.clicks)
    found: dict[str, Any] = {"click_p95_s": part(clicks, 0.95), "click_median_s": part(clicks, 0.5), "n_clicks": len(clicks)}
    found |= {f"{kind}_p95_s": part(pooled(noted, kind), 0.95) for kind in ("open", *CLICKS) if kind != "explain"}
    found["to_explain_p95_s"] = part(pooled(noted, "explain"), 0.95)
    explanations = pooled(noted, "explanation")
    return found | {"explain_p95_s": part(explanations, 0.95), "explain_median_s": part(explanations, 0.5)}


def waits(visitors: Sequence[Visitor], kind: str) -> str:
    """All waits of one kind in seconds, sorted."""
    return " ".join(f"{wait:.2f}" for wait in pooled([one.noted for one in visitors], kind))


def part(values: Sequence[float], share: float) -> float:
    """The quantile of sorted values, NaN-free: -1 where there are none."""
    return round(values[min(len(values) - 1, int(share * len(values)))], 3) if values else -1.0


def fairness(noted: Sequence[Noted], begin: float, end: float) -> dict[str, Any]:
    """What each visitor got, between two times."""
    rates = sorted(one.received.rate(begin, end) for one in noted)
    steps = sorted(one.received.step_at(end) - one.received.step_at(begin) for one in noted)
    return {
        "updates_per_second": round(rates[0], 2),
        "updates_median": round(statistics.median(rates), 2),
        "slowest_over_median": round(statistics.median(steps) / max(1, steps[0]), 2),
        "steps_per_second": round(sum(steps) / (end - begin)),
    }


def cores(before: Sequence[Process], after: Sequence[Process], seconds: float) -> float:
    """Processor seconds per second."""
    return round((sum(one.cpu_s for one in after) - sum(one.cpu_s for one in before)) / seconds, 3)


def truth(there: Place, noted: Sequence[Noted]) -> dict[str, Any]:
    """Whether anything went wrong or was lost."""
    store = there.store()
    lost = sum(lost_points(stored_losses(store, one.run), one.received) for one in noted if one.run)
    store.close()
    errors = [*(error for one in noted for error in one.errors), *there.wrong_lines()]
    for error in errors[:20]:
        print("error:", error, flush=True)
    return {"errors": len(errors), "lost_points": lost}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--visitors", type=int, default=30, help="all together")
    parser.add_argument("--browsers", type=int, default=3, help="of them with a real browser")
    parser.add_argument("--seconds", type=float, default=75.0, help="in which they change things")
    parser.add_argument("--seed", type=int, default=0, help="of who does what when")
    parser.add_argument("--keep", type=Path, help="a folder for the data and the logs, kept afterwards")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = (options.keep or Path(folder)).absolute() / "home"
        home.parent.mkdir(parents=True, exist_ok=True)
        with place(home, {"LAYERWISE_PROFILE": "workshop"}) as there:
            there.wait_until_warm()
            figures = asyncio.run(visit(there, options))
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
