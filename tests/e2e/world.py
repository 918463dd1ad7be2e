"""The world of the end-to-end tests: a sandbox, a bridge, and what stands between the bridge and Odoo.

Everything is a real process on 127.0.0.1; each is ended by the pid that we started.
"""

import ctypes
import json
import os
import signal
import subprocess
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

#: Linux: the signal that a process gets when its parent ends.
PR_SET_PDEATHSIG = 1
#: How long an awaited event may take before the test fails. Far above what it takes: the machine may be busy.
PATIENCE = 60


def binary() -> str:
    """The `chatbridge` command that is tested."""
    return os.environ["CHATBRIDGE_BIN"]


def http(method: str, url: str, body=None, timeout: float = PATIENCE):
    """Send JSON, return JSON (or text); raise `HTTPError` with its body read for a failure."""
    data = None if body is None else json.dumps(body).encode()
    headers = {} if data is None else {"Content-Type": "application/json"}
    request = urllib.request.Request(url, data, headers, method=method)
    with urllib.request.urlopen(request, timeout=timeout) as response:
        text = response.read().decode()
    return json.loads(text) if text[:1] in "{[" else text


def until(condition, what: str, patience: float = PATIENCE):
    """Await a condition that another process makes true; return its value."""
    end = time.monotonic() + patience
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"not within {patience} s: {what}")
        time.sleep(0.05)


class Process:
    """A program of ours, with its output in a file."""

    def __init__(self, name: str, words: list, environment: dict = None):
        handle, path = tempfile.mkstemp(prefix=f"chatbridge-{name}-", suffix=".log")
        self.log_file = Path(path)
        self.name = name
        clean = {key: value for key, value in os.environ.items() if not key.startswith("CHATBRIDGE_")}
        with os.fdopen(handle, "wb") as sink:
            self.process = subprocess.Popen(
                words, stdout=sink, stderr=sink, stdin=subprocess.DEVNULL, env={**clean, **(environment or {})}, preexec_fn=die_with_parent
            )

    @property
    def log(self) -> str:
        """What it has printed so far."""
        return self.log_file.read_text(errors="replace")

    def alive(self) -> bool:
        """Tell whether it runs."""
        return self.process.poll() is None

    def kill(self) -> None:
        """End it as a power cut would."""
        if self.alive():
            self.process.kill()
        self.process.wait()

    def stop(self, patience: float = 30) -> int:
        """Ask it to end; return its exit code."""
        if self.alive():
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(patience)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"{self.name} did not end when asked\n{self.log[-3000:]}") from None

    def wait(self, patience: float = PATIENCE) -> int:
        """Wait until it ends by itself; return its exit code."""
        return self.process.wait(patience)


class Sandbox(Process):
    """Telegram, as far as we can have it: `chatbridge sandbox`."""

    def __init__(self, port: int = 0):
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        super().__init__("sandbox", [binary(), "sandbox", "--listen", f"127.0.0.1:{self.port}"])
        until(self._answers, "the sandbox answers")

    def _answers(self):
        try:
            return http("GET", f"{self.url}/sandbox/bots", timeout=2) is not None
        except (OSError, urllib.error.URLError):
            assert self.alive(), self.log
            return False

    def post(self, what: str, **body):
        """Call the control interface."""
        return http("POST", f"{self.url}/sandbox/{what}", body)

    def get(self, what: str, **query):
        """Read from the control interface."""
        return http("GET", f"{self.url}/sandbox/{what}?{urllib.parse.urlencode(query)}")

    def add_bot(self, token: str, username: str, name: str = ""):
        """Make a bot known."""
        return self.post("bots", token=token, username=username, first_name=name or username)

    def customer(self, bot: str, user: int, first_name: str = "Anna", **more) -> "Customer":
        """Make a customer, who has not written yet."""
        self.post("customers", id=user, first_name=first_name, **more)
        return Customer(self, bot, user, first_name)

    def fault(self, **fault):
        """Make something go wrong."""
        return self.post("faults", **fault)

    def no_faults(self):
        """Let everything go right again."""
        return http("DELETE", f"{self.url}/sandbox/faults")

    def calls(self, bot: str, method: str = "", after: int = 0) -> list:
        """The calls to the Bot API so far."""
        return self.get("calls", bot=bot, after=after, **({"method": method} if method else {}))["calls"]


class Customer:
    """A person with a Telegram app."""

    def __init__(self, sandbox: Sandbox, bot: str, user: int, name: str = ""):
        self.sandbox, self.bot, self.user, self.name = sandbox, bot, user, name

    def say(self, text: str) -> dict:
        """Write a message."""
        return self.sandbox.post("say", bot=self.bot, user=self.user, text=text)

    def press(self, text: str) -> dict:
        """Tap a button of the keyboard that is shown now."""
        return self.sandbox.post("press", bot=self.bot, user=self.user, text=text)

    def tap(self, message_id: int, text: str) -> dict:
        """Tap a button under a message."""
        return self.sandbox.post("tap", bot=self.bot, user=self.user, message_id=message_id, text=text)

    def screen(self, after: int = 0, wait: float = 0) -> dict:
        """What the app shows."""
        return self.sandbox.get("chat", bot=self.bot, user=self.user, after=after, wait=wait)

    def heard(self) -> list:
        """What the bot has said so far."""
        return [message["text"] for message in self.screen()["messages"] if message["from"] == "bot"]

    def hears(self, *texts: str) -> dict:
        """Wait until the last things that the bot said are these; return the screen."""

        def there():
            screen = self.screen()
            said = [message["text"] for message in screen["messages"] if message["from"] == "bot"]
            return screen if said[-len(texts):] == list(texts) else None

        try:
            return until(there, f"the bot says {texts}")
        except AssertionError:
            raise AssertionError(f"the bot should have said {texts}, said {self.heard()[-6:]}") from None

    def block(self, blocked: bool = True):
        """Block or unblock the bot."""
        return self.sandbox.post("block", bot=self.bot, user=self.user, blocked=blocked)


class Bridge:
    """`chatbridge run` on a data folder that outlives its processes."""

    def __init__(self, odoo_url: str, sandbox: Sandbox, folder: Path, database: str, password: str = "bridge-password", **more):
        self.folder, self.process = Path(folder), None
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.environment = {
            "CHATBRIDGE_ODOO_URL": odoo_url,
            "CHATBRIDGE_ODOO_DATABASE": database,
            "CHATBRIDGE_ODOO_PASSWORD": password,
            "CHATBRIDGE_TELEGRAM_URL": sandbox.url,
            "CHATBRIDGE_DATA": str(self.folder),
            "CHATBRIDGE_LISTEN": f"127.0.0.1:{self.port}",
            "CHATBRIDGE_LOG": os.environ.get("CHATBRIDGE_TEST_LOG", "warn,chatbridge=debug"),
            "CHATBRIDGE_LOG_FORMAT": "text",
            "NO_COLOR": "1",
            **more,
        }
        self.logs = []

    def launch(self) -> "Bridge":
        """Start the process, without waiting."""
        self.process = Process("bridge", [binary(), "run"], self.environment)
        self.logs.append(self.process.log_file)
        return self

    def start(self) -> "Bridge":
        """Start and wait until it works."""
        self.launch()
        until(lambda: self.state()[0] == 200, f"the bridge is ready, says {self.state()}")
        return self

    def state(self):
        """What /readyz says: status and line; (0, "") while nobody answers."""
        try:
            return 200, http("GET", f"{self.url}/readyz", timeout=5).strip()
        except urllib.error.HTTPError as problem:
            return problem.code, problem.read().decode().strip()
        except (OSError, urllib.error.URLError):
            assert self.process.alive(), f"the bridge ended with {self.process.process.poll()}:\n{self.process.log[-3000:]}"
            return 0, ""

    def metric(self, name: str) -> float:
        """A counter's value."""
        for line in http("GET", f"{self.url}/metrics", timeout=5).splitlines():
            words = line.split()
            if words and words[0] == f"chatbridge_{name}":
                return float(words[1])
        raise AssertionError(f"no metric {name}")

    def kill(self):
        """End it as a power cut would."""
        self.process.kill()

    def stop(self) -> int:
        """Ask it to end."""
        return self.process.stop()

    def all_logs(self) -> str:
        """What every process of it has printed."""
        return "".join(file.read_text(errors="replace") for file in self.logs)


def die_with_parent() -> None:
    """Let the kernel end this process when the one that started it has gone, however that ended."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def free_port() -> int:
    """A port that nobody uses."""
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
