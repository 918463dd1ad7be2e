"""The call: somebody at a form asks the bridge and waits for the answer (docs/protocol.md).

It happens in a thread of its own with a bound on the whole, so that no address, however it behaves, holds a worker of
Odoo for longer. Nobody may hold a lock on a row meanwhile.
"""

import json
import logging
import socket
import threading
from contextlib import suppress

from . import nudge

_logger = logging.getLogger(__name__)

#: How long the whole may take, and how long it may take to connect.
TIMEOUT = 5
CONNECTING = 2

#: The longest answer that is read, in bytes.
LONGEST = 64 * 1024

PATH = "/odoo/call"


class Answer:
    """What the bridge answers: whether all is right, what to show, and the username in Telegram where it is known."""

    __slots__ = ("ok", "text", "username")

    def __init__(self, data):
        self.ok, self.text, self.username = data["ok"] is True, str(data["answer"]), data.get("username") or None


def call(target, name, channel_id):
    """Ask the bridge to "refresh" or to "run"; return its answer, or None where it can't be reached."""
    waiting = _Call(target, name, channel_id)
    thread = threading.Thread(target=waiting.run, name="chatbridge.call", daemon=True)
    thread.start()
    thread.join(TIMEOUT)
    waiting.hang_up()
    return waiting.answer


class _Call:
    """One call; its answer is None until it is there."""

    def __init__(self, target, name, channel_id):
        self.target = target
        self.body = json.dumps({"database_uuid": target.database_uuid, "call": name, "channel": channel_id}).encode()
        self.answer = None
        self._socket = None

    def run(self):
        """Call; whatever goes wrong is only logged, without the secret."""
        try:
            self.answer = self._ask()
        except Exception as error:
            _logger.info("The bridge could not be called: %s", type(error).__name__)

    def hang_up(self):
        """End the call if it still goes on: whoever waits for the next byte is woken."""
        if self._socket:
            with suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)

    def _ask(self):
        parts = nudge.address(self.target.url)
        connection = nudge.connect(parts, CONNECTING)
        try:
            connection.connect()
            self._socket = connection.sock
            self._socket.settimeout(TIMEOUT)
            path = parts.path[: -len(nudge.PATH)] + PATH
            connection.request("POST", path, self.body, nudge.signed_headers(self.target.secret, self.body))
            response = connection.getresponse()
            if response.status != 200:
                raise ConnectionError("HTTP %d" % response.status)
            return Answer(json.loads(response.read(LONGEST).decode()))
        finally:
            connection.close()
