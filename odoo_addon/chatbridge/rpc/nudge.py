"""The nudge: a short signed request that tells the bridge to look for events.

A thread per database sends them and ends when none waits, so an address that hangs is in nobody else's way. Nudges
that wait are coalesced, errors are only logged for debugging (never with the secret), and nobody ever waits: a lost
nudge costs nothing, for the bridge polls anyway.
"""

import hashlib
import hmac
import json
import logging
import ssl
import threading
import time
from http.client import HTTPConnection, HTTPSConnection
from urllib.parse import urlsplit

_logger = logging.getLogger(__name__)

#: How long connecting may take, and how long the answer may stay away.
TIMEOUT = 1

PATH = "/odoo/nudge"


def address(url):
    """Return the parts of an address for nudges; raise ValueError on one that can't be a bridge's."""
    parts = urlsplit(url)
    plain = parts.username is None and not parts.query and not parts.fragment
    # `port` raises ValueError too.
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.port == 0 or not plain:
        raise ValueError("an address with http or https is expected, without a password or a query")
    if not parts.path.endswith(PATH):
        raise ValueError("an address that ends in %s is expected" % PATH)
    return parts


class Target:
    """Whom to nudge: read before the commit, because afterwards there is no transaction to read in."""

    __slots__ = ("database_uuid", "secret", "url")

    def __init__(self, url, secret, database_uuid):
        self.url = url
        self.secret = secret
        self.database_uuid = database_uuid


class _Nudger:
    """The process's threads, one for each address and database, and what waits for them."""

    def __init__(self):
        self._lock = threading.Lock()
        self._waiting = {}
        self._threads = {}

    def add(self, target):
        """Have a target nudged soon; one that waits already is not nudged twice."""
        key = (target.url, target.database_uuid)
        with self._lock:
            self._waiting[key] = target
            # Looked after: a worker of Odoo is a fork, and threads don't survive a fork.
            thread = self._threads.get(key)
            if thread is None or not thread.is_alive():
                thread = threading.Thread(target=self._run, args=(key,), name="chatbridge.nudge", daemon=True)
                self._threads[key] = thread
                thread.start()

    def _run(self, key):
        while True:
            with self._lock:
                target = self._waiting.pop(key, None)
                if target is None:
                    del self._threads[key]
                    return
            send(target)


_nudger = _Nudger()


def after_commit(cr, target):
    """Nudge once this transaction is committed."""
    cr.postcommit.add(lambda: _nudger.add(target))


def signature(secret, timestamp, body):
    """Return the hex signature of a nudge."""
    return hmac.new(bytes.fromhex(secret), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()


def signed_headers(secret, body):
    """Return the headers of a request that the bridge will take for ours."""
    timestamp = str(int(time.time()))
    return {
        "Content-Type": "application/json",
        "Connection": "close",
        "X-Chatbridge-Timestamp": timestamp,
        "X-Chatbridge-Signature": signature(secret, timestamp, body),
    }


def connect(parts, timeout):
    """Return a connection to the bridge, not opened yet: no proxy of the environment is asked, no redirect followed."""
    if parts.scheme == "https":
        return HTTPSConnection(parts.hostname, parts.port, timeout=timeout, context=ssl.create_default_context())
    return HTTPConnection(parts.hostname, parts.port, timeout=timeout)


def send(target):
    """Send one nudge, now; whatever goes wrong is only logged."""
    try:
        body = json.dumps({"database_uuid": target.database_uuid}).encode()
        _post(address(target.url), body, signed_headers(target.secret, body))
    except Exception as error:
        _logger.debug("The bridge could not be nudged: %s", type(error).__name__)


def _post(parts, body, headers):
    """Send a request and wait for the first byte of the answer: nobody can make us read for ever, byte by byte."""
    connection = connect(parts, TIMEOUT)
    try:
        connection.request("POST", parts.path, body, headers)
        # The bridge has taken the nudge when it begins to answer; to hang up earlier might stop it.
        if not connection.sock.recv(1):
            raise ConnectionError("no answer")
    finally:
        connection.close()
