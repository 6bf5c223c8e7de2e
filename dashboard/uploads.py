"""What the server's memory may hold of files that browsers have sent: Streamlit bounds one file, and not their number."""

import re
from collections import Counter
from collections.abc import Callable, Mapping
from http import HTTPStatus

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from core.process import machine_memory
from core.settings import Settings
from dashboard.security import refuse

MIB = 2**20
ADDRESS = re.compile(r"/_stcore/upload_file/([^/]+)/[^/]+")
FILES_AT_ONCE = 4
"""A page has so many places for a file: own data, a folder, weights, a bundle."""
MEMORY_PART = 4
"""Of all pages together, files take a quarter of the machine's memory at most: runs need the rest."""
PARTS_BYTES = 64 * 1024
"""What a form adds around its file."""


def held_bytes() -> Mapping[str, int]:
    """Bytes of the files in memory, by session."""
    from streamlit.runtime import Runtime
    from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager

    files = Runtime.instance().uploaded_file_mgr if Runtime.exists() else None
    if not isinstance(files, MemoryUploadedFileManager):
        return {}
    return {session: sum(len(file.data) for file in list(kept.values())) for session, kept in list(files.file_storage.items())}


class UploadLimit:
    """Refuses a file (413) that does not fit beside those that its page, or all pages, have sent and not taken back."""

    def __init__(self, app: ASGIApp, settings: Settings, held: Callable[[], Mapping[str, int]] = held_bytes) -> None:
        self.app = app
        self.file_bytes = settings.upload_mb * MIB + PARTS_BYTES
        self.page_bytes = FILES_AT_ONCE * self.file_bytes
        memory = machine_memory()
        room = min(settings.uploads_mb * MIB, memory[0] // MEMORY_PART) if memory else settings.uploads_mb * MIB
        self.all_bytes = max(room, self.page_bytes)
        self.held = held
        self.arriving = Counter[str]()
        """Bytes on their way, by session."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        place = ADDRESS.fullmatch(scope["path"]) if scope["type"] == "http" and scope["method"] == "PUT" else None
        if place is None:
            await self.app(scope, receive, send)
            return
        session, told = place[1], Headers(scope=scope).get("content-length", "")
        n_bytes = int(told) if told.isascii() and told.isdigit() and len(told) < 16 else self.file_bytes
        if not self._fits(session, n_bytes):
            await refuse(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "This server has no room for this file now.", scope, receive, send
            )
            return
        self.arriving[session] += n_bytes
        try:
            await self.app(scope, receive, send)
        finally:
            self.arriving[session] -= n_bytes
            if not self.arriving[session]:
                del self.arriving[session]

    def _fits(self, session: str, n_bytes: int) -> bool:
        held = self.held()
        of_page = held.get(session, 0) + self.arriving[session]
        of_all = sum(held.values()) + self.arriving.total()
        return n_bytes <= self.file_bytes and of_page + n_bytes <= self.page_bytes and of_all + n_bytes <= self.all_bytes
