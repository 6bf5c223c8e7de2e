"""`make workshop`: starts the server for a room full of people, and says where it is, with which code, once."""

import argparse
import ipaddress
import os
import secrets
import socket
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from core.errors import LayerwiseError
from core.settings import Settings

SERVER = Path(__file__).with_name("server.py")
LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
"""Without those that are taken for each other when read aloud or from a board."""
LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
EVERYWHERE = "0.0.0.0"  # nosec B104
"""Other machines may come in: that is what a workshop is."""
NOWHERE = ("192.0.2.1", 9)
"""An address for documents, which nobody has: to be told by which of ours one would go there. Nothing is sent."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Say how to come in, and become the server."""
    asked = parser().parse_args(arguments)
    names = lan_names()
    variables = environment(os.environ, names, has_code=not asked.no_code)
    os.environ.clear()
    os.environ.update(variables)
    try:
        settings = Settings.from_environment()
    except LayerwiseError as error:
        sys.exit(str(error))
    sys.stdout.write("\n".join(lines(variables, names, asked.port)) + "\n")
    sys.stdout.flush()
    words = command(asked.port, settings.upload_mb, [*names, "localhost"][0])
    os.execve(words[0], words, variables)  # nosec B606


def parser() -> argparse.ArgumentParser:
    """What can be asked for."""
    made = argparse.ArgumentParser(prog="make workshop", description=__doc__)
    made.add_argument("--port", type=_port, default=8501, help="where the server listens (default: 8501)")
    made.add_argument("--no-code", action="store_true", help="let everybody in who can reach this machine")
    return made


def environment(present: Mapping[str, str], names: Sequence[str], *, has_code: bool = True) -> dict[str, str]:
    """The variables of the server: what is set stays, and what is missing is made up."""
    made = {
        "LAYERWISE_PROFILE": "workshop",
        "LAYERWISE_ALLOWED_HOSTS": ",".join((*LOOPBACK, *names)),
        "LAYERWISE_HOST_KEY": secrets.token_urlsafe(16),
        "LAYERWISE_ACCESS_CODE": code(),
    }
    full = made | {name: value for name, value in present.items() if value.strip() or name not in made}
    if not has_code:
        full["LAYERWISE_ACCESS_CODE"] = ""
    return full


def code() -> str:
    """A code that can be read from a board and typed on a phone: 39 bits, behind a limit on wrong ones."""
    word = "".join(secrets.choice(LETTERS) for _letter in range(8))
    return f"{word[:4]}-{word[4:]}"


def lines(variables: Mapping[str, str], names: Sequence[str], port: int) -> list[str]:
    """What the host reads once, and tells the participants."""
    given = variables["LAYERWISE_ACCESS_CODE"]
    places = [f"http://{name}:{port}" for name in names] or [f"http://localhost:{port}"]
    return [
        "",
        "  Participants open one of these addresses:",
        *(f"      {place}" for place in places),
        f"  and give this access code:   {given}" if given else "  and need no code: whoever reaches this machine comes in.",
        "",
        f"  For you alone, the host key: {variables['LAYERWISE_HOST_KEY']}",
        "  Give it under My space > I am the host, to see how the server is doing and to stop any run.",
        "",
        "  The connections are not encrypted: do not use a code or key that you use elsewhere.",
        "  Both are shown here alone. Ctrl+C ends the server; runs go on when it is started again.",
        "  The next start makes up others. To keep these, so that nobody has to come in again, set them before it:",
        "      LAYERWISE_ACCESS_CODE and LAYERWISE_HOST_KEY.",
        "",
    ]


def command(port: int, upload_mb: int, name: str) -> list[str]:
    """The server, reachable from other machines. Told its name, Streamlit does not ask the internet for its address."""
    options = {
        "server.address": EVERYWHERE,
        "server.port": port,
        "server.maxUploadSize": upload_mb,
        "browser.serverAddress": name,
    }
    words = [word for option, value in options.items() for word in (f"--{option}", f"{value}")]
    return [sys.executable, "-m", "streamlit", "run", str(SERVER), *words]


def lan_names() -> list[str]:
    """Under which names and addresses other machines may find this one."""
    name, found = socket.gethostname().lower(), []
    with suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.connect(NOWHERE)
        found.append(asking.getsockname()[0])
    with suppress(OSError):
        found += [info[4][0] for info in socket.getaddrinfo(name, None, socket.AF_INET)]
    return [*reachable(found), *(one for one in (name, f"{name}.local") if _is_name(one))]


def reachable(addresses: Iterable[object]) -> list[str]:
    """Those that other machines can reach, each once."""
    known = [ipaddress.ip_address(str(one)) for one in dict.fromkeys(addresses)]
    return [str(one) for one in known if not (one.is_loopback or one.is_link_local or one.is_unspecified)]


def _is_name(text: str) -> bool:
    return text not in ("localhost", "localhost.local") and text.replace("-", "").replace(".", "").isalnum()


def _port(text: str) -> int:
    number = int(text) if text.isascii() and text.isdigit() else 0
    if not 1 <= number <= 65_535:
        raise argparse.ArgumentTypeError(f"{text!r} is no port: it is a number from 1 to 65535")
    return number


if __name__ == "__main__":
    main()
