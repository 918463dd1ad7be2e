"""A real Odoo that serves one database on 127.0.0.1, to start, stop, kill and ask."""

import atexit
import http.client
import signal
import subprocess

from . import cache, host
from .rpc import Client
from .run import Run, end
from .template import Installation

#: Odoo's own times are 3 to 6 s; the rest is for a machine that builds Rust beside it.
START_SECONDS = 120


class OdooServer:
    """Odoo of a series for one database; `addons` is one folder or several.

    One threaded process (`--workers=0`) serves all: pages, RPC, long-polling (14) and websocket
    (19) come from the same port. Use it with `with`, or call `start` and `stop`.
    """

    def __init__(self, series, database: str, addons=(), port: int = 0, max_cron_threads: int = 0, extra=()):
        self.installation = series if isinstance(series, Installation) else Installation(series)
        self.database = database
        self.run = Run(self.installation.chroot, self.installation.postgres, database, addons)
        self.port = port
        self.max_cron_threads = max_cron_threads
        self.extra = list(extra)
        self._process = None

    @property
    def log(self):
        """The path of the log; it goes on over restarts."""
        return self.run.log

    @property
    def url(self) -> str:
        """The address, without a slash at the end."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """The pid of the running Odoo, or 0."""
        return self.run.pid() if self.is_running() else 0

    def is_running(self) -> bool:
        """Tell whether the process lives."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> "OdooServer":
        """Start Odoo and wait until it answers; raise with its last log lines when it doesn't."""
        if self.is_running():
            return self
        self.port = self.port or cache.free_port()
        if not cache.is_free(self.port):
            # Odoo 14 would only log it and go on without its port.
            raise host.LabError(f"Odoo did not start: port {self.port} is in use")
        words = [f"--http-port={self.port}", f"--max-cron-threads={self.max_cron_threads}", *self.extra]
        self.run.pid_file.unlink(missing_ok=True)
        with open(self.log, "ab") as sink:
            # A session of its own: Ctrl-C in the terminal goes to the lab, which stops Odoo.
            self._process = subprocess.Popen(
                self.run.command(*words), stdout=sink, stderr=sink, stdin=subprocess.DEVNULL, start_new_session=True
            )
        atexit.register(self.kill)
        if not cache.wait_until(lambda: self._answers() or not self.is_running(), START_SECONDS, 0.1):
            self.kill()
        if not self.is_running():
            raise host.LabError(f"Odoo did not start:\n{host.tail(self.log, 40)}\nAll of it: {self.log}")
        return self

    def stop(self, seconds: float = 20) -> None:
        """Let Odoo finish what it is doing and end; SIGKILL after `seconds`.

        On 19 an open websocket whose other side does not close holds the end up for 17 s.
        """
        if self.is_running():
            end(self.run.pid(), signal.SIGTERM)
            try:
                self._process.wait(seconds)
            except subprocess.TimeoutExpired:
                pass
        self.kill()

    def kill(self) -> None:
        """End exactly this Odoo and its children with SIGKILL."""
        atexit.unregister(self.kill)
        if self.is_running():
            cache.wait_until(lambda: self.run.pid() or not self.is_running(), 5)
            end(self.run.pid(), signal.SIGKILL)
            self._process.wait()

    def restart(self) -> None:
        """Stop and start on the same port."""
        self.stop()
        self.start()

    def close(self) -> None:
        """Stop and remove the folder of the run; the log stays."""
        self.stop()
        self.run.remove()

    def rpc(self, login: str = "admin", password: str = "admin") -> Client:
        """Log in and return the client."""
        return Client(self.url, self.database, login, password)

    def __enter__(self):
        return self.start()

    def __exit__(self, *problem):
        self.close()

    def _answers(self) -> bool:
        """Tell whether a page of the database comes: the port alone opens before it is loaded."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request("GET", "/web/login")
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()
