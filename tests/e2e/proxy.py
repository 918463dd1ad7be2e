"""A proxy between the bridge and Odoo that holds a call at a chosen moment, so that a kill hits exactly there."""

import http.client
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Gate:
    """Where calls of one kind are held: `before` Odoo has seen them, or `after` it has answered, before the answer goes back."""

    def __init__(self, path: str, moment: str):
        self.path, self.moment = path, moment
        self.reached = threading.Event()
        self.opened = threading.Event()
        self.drop = False

    def hold(self) -> bool:
        """Wait here; tell whether the call is to be dropped."""
        self.reached.set()
        self.opened.wait(60)
        return self.drop

    def open(self, drop: bool = False) -> None:
        """Let the held call go on, or drop it."""
        self.drop = drop
        self.opened.set()


class Proxy:
    """Passes HTTP on to Odoo."""

    def __init__(self, target_port: int):
        self.target_port, self.gate = target_port, None
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def arm(self, path: str, moment: str) -> Gate:
        """Hold the next call whose path ends with `path`."""
        self.gate = Gate(path, moment)
        return self.gate

    def close(self) -> None:
        """End it."""
        self.server.shutdown()
        self.server.server_close()

    def _take(self, path: str, moment: str):
        gate = self.gate
        if gate and gate.moment == moment and path.endswith(gate.path):
            self.gate = None
            return gate
        return None

    def _handler(self):
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                """Say nothing."""

            def do_GET(self):
                """Pass on."""
                self._pass()

            def do_POST(self):
                """Pass on."""
                self._pass()

            def _pass(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                gate = proxy._take(self.path, "before")
                if gate and gate.hold():
                    self.close_connection = True
                    return
                connection = http.client.HTTPConnection("127.0.0.1", proxy.target_port, timeout=90)
                try:
                    headers = {key: value for key, value in self.headers.items() if key.lower() != "connection"}
                    connection.request(self.command, self.path, body, headers)
                    answer = connection.getresponse()
                    content = answer.read()
                except OSError:
                    self.close_connection = True
                    return
                finally:
                    connection.close()
                gate = proxy._take(self.path, "after")
                if gate and gate.hold():
                    self.close_connection = True
                    return
                self._answer(answer, content)

            def _answer(self, answer, content):
                try:
                    self.send_response(answer.status)
                    for key, value in answer.getheaders():
                        if key.lower() not in ("transfer-encoding", "connection", "content-length"):
                            self.send_header(key, value)
                    self.send_header("Content-Length", str(len(content)))
                    self.end_headers()
                    self.wfile.write(content)
                except OSError:
                    self.close_connection = True

        return Handler
