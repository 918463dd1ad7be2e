"""Real Chromium: one process, and a window of its own for each person."""

from playwright.sync_api import Error, Page, sync_playwright

#: How long a click waits for what it needs, in milliseconds. Far above what it takes: the machine may be busy.
PATIENCE = 30_000

#: Debian's.
EXECUTABLE = "/usr/bin/chromium"
WORDS = (
    "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-quic", "--no-first-run",
)  # fmt: skip


class Browser:
    """Chromium; use it with `with`. Playwright's event loop ends with it, so that other tests may have one of theirs."""

    def __init__(self):
        self._playwright = self._chromium = None

    def __enter__(self) -> "Browser":
        self._playwright = sync_playwright().start()
        try:
            self._chromium = self._playwright.chromium.launch(executable_path=EXECUTABLE, args=list(WORDS))
        except Error:
            self._playwright.stop()
            raise
        return self

    def __exit__(self, *problem):
        self._chromium.close()
        self._playwright.stop()

    def window(self, width: int = 1366, height: int = 900, language: str = "en-US", **more) -> "Window":
        """A window of a person who has no cookie yet."""
        context = self._chromium.new_context(viewport={"width": width, "height": height}, locale=language, timezone_id="Europe/Kyiv", **more)
        context.set_default_timeout(PATIENCE)
        return Window(context.new_page())


class Window:
    """One page; it knows what the page still waits for, and what went wrong in its scripts."""

    def __init__(self, page: Page):
        self.page = page
        self.troubles = []
        self._pending = set()
        page.on("pageerror", lambda error: self.troubles.append(str(error)))
        page.on("request", self._asked)
        page.on("requestfinished", self._answered)
        page.on("requestfailed", self._answered)

    def _asked(self, request) -> None:
        # What stands open by nature (news from the server) is not waited for.
        if request.resource_type in ("xhr", "fetch") and "longpolling" not in request.url:
            self._pending.add(request)

    def _answered(self, request) -> None:
        self._pending.discard(request)

    def settle(self) -> None:
        """Wait until the page has its answers and has shown them."""
        self._frames()
        while self._pending:
            self._frames()

    def _frames(self) -> None:
        self.page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done))))")

    def close(self) -> None:
        """Close it."""
        self.page.context.close()
