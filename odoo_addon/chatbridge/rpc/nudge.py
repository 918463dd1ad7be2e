"""The nudge: a short signed request that tells the bridge to look for events.

One thread per process sends them. Nudges that wait for it are coalesced per database, errors are only logged for
debugging (never with the secret), and nobody ever waits: a lost nudge costs nothing, for the bridge polls anyway.
"""

import hashlib
import hmac
import json
import logging
import threading
import time

import requests

_logger = logging.getLogger(__name__)

TIMEOUT = 1


class Target:
    """Whom to nudge: read before the commit, because afterwards there is no transaction to read in."""

    __slots__ = ("database_uuid", "secret", "url")

    def __init__(self, url, secret, database_uuid):
        self.url = url
        self.secret = secret
        self.database_uuid = database_uuid


class _Nudger:
    """The process's thread and what waits for it."""

    def __init__(self):
        self._condition = threading.Condition()
        self._waiting = {}
        self._thread = None

    def add(self, target):
        """Have a target nudged soon; one that waits already is not nudged twice."""
        with self._condition:
            self._waiting[target.database_uuid] = target
            # Started late, and looked after: a worker of Odoo is a fork, and threads don't survive a fork.
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="chatbridge.nudge", daemon=True)
                self._thread.start()
            self._condition.notify()

    def _run(self):
        while True:
            with self._condition:
                while not self._waiting:
                    self._condition.wait()
                targets, self._waiting = list(self._waiting.values()), {}
            for target in targets:
                send(target)


_nudger = _Nudger()


def after_commit(cr, target):
    """Nudge once this transaction is committed."""
    cr.postcommit.add(lambda: _nudger.add(target))


def signature(secret, timestamp, body):
    """Return the hex signature of a nudge."""
    return hmac.new(bytes.fromhex(secret), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()


def send(target):
    """Send one nudge, now; whatever goes wrong is only logged."""
    try:
        body = json.dumps({"database_uuid": target.database_uuid}).encode()
        timestamp = str(int(time.time()))
        headers = {
            "Content-Type": "application/json",
            "X-Chatbridge-Timestamp": timestamp,
            "X-Chatbridge-Signature": signature(target.secret, timestamp, body),
        }
        requests.post(target.url, data=body, headers=headers, timeout=TIMEOUT, allow_redirects=False)
    except Exception as error:
        _logger.debug("The bridge could not be nudged: %s", type(error).__name__)
