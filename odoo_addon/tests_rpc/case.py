"""What the tests over HTTP share: an Odoo server with our addon, and connections to it. Needs the lab."""

import os
import sys
import tempfile
import threading
import unittest
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ADDONS = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ADDONS), str(ADDONS.parent / "tests/lab")]

from builder import build_addon  # noqa: E402
from lab_odoo import Installation, OdooServer  # noqa: E402
from lab_odoo.rpc import Client  # noqa: E402

AT = "2026-11-22T19:00:00Z"


def operation(type_, **fields):
    """Return an operation with a key of its own."""
    return dict({"key": uuid.uuid4().hex[:26], "type": type_, "at": AT}, **fields)


def of_series(*cases):
    """Return a ``load_tests`` that takes the cases of the series that SERIES names, or of both."""

    def load_tests(loader, _tests, _pattern):
        wanted = os.environ.get("SERIES", "14 19").split()
        suite = unittest.TestSuite()
        for case in cases:
            if case.number in wanted:
                suite.addTests(loader.loadTestsFromTestCase(case))
        return suite

    return load_tests


class RpcCase:
    """One series, named by the classes that inherit this."""

    number = ""

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        build_addon(ADDONS / "chatbridge", Path(folder.name) / "chatbridge", cls.number + ".0")
        cls.there = there = Installation(cls.number)
        database = there.clone(there.template([folder.name], "chatbridge"))
        cls.addClassCleanup(there.drop, database)
        server = OdooServer(there, database, [folder.name])
        server.start()
        cls.addClassCleanup(server.stop)
        cls.log, cls.url, cls.database = server.log, server.url, database
        cls.connect(server.url, database)

    @classmethod
    def connect(cls, url, database):
        """Set the database up as an administrator does, and shake hands as the bridge."""
        cls.admin = Client(url, database, "admin", "admin")
        cls.admin.call(
            "res.users", "write", cls.found("res.users", login="chatbridge"), {"password": "pw-of-the-bridge"}
        )
        telegram = cls.found("chatbridge.messenger", code="telegram")
        cls.admin.call("chatbridge.messenger", "action_activate", telegram)
        cls.bot = cls.found("chatbridge.bot", kind="client")[0]
        vals = {"name": "Shop", "bot_id": cls.bot, "messenger_id": telegram[0], "token": "5:abc"}
        cls.channel = cls.admin.call("chatbridge.channel", "create", vals)
        cls.bridges = [Client(url, database, "chatbridge", "pw-of-the-bridge") for _ in range(6)]

    @classmethod
    def found(cls, model, **values):
        """Return the ids of records by their values."""
        return cls.admin.call(model, "search", [[name, "=", value] for name, value in values.items()])

    def setUp(self):
        self.shake()

    def shake(self, nudge_url=None):
        """Shake hands, as a store that remembers the last meeting."""
        cls = type(self)
        hello = {
            "protocol": 2,
            "bridge_version": "0",
            "instance": "i",
            "store_id": "s",
            "database_uuid": getattr(cls, "uuid", None),
            "nonce": getattr(cls, "nonce", None),
            "nudge_url": nudge_url,
            "nudge_secret": "00ff",
            "clock": AT,
        }
        answer = self.bridges[0].call("chatbridge.bridge", "handshake", hello)
        self.assertEqual(answer["status"], "ready", answer["sentence"])
        cls.uuid, cls.nonce = answer["database_uuid"], answer["nonce"]
        self.claim = {"store_id": "s", "generation": answer["generation"]}

    def apply(self, batch, bridge=None):
        """Have a batch carried out."""
        return (bridge or self.bridges[0]).call("chatbridge.bridge", "apply", self.claim, batch)

    def at_once(self, batches):
        """Have batches carried out at the same moment, each over its own connection."""
        barrier = threading.Barrier(len(batches))

        def work(bridge, batch):
            barrier.wait()
            return self.apply(batch, bridge)

        with ThreadPoolExecutor(len(batches)) as pool:
            return list(pool.map(work, self.bridges, batches))

    def person(self, user):
        """Return the operations of somebody's first message."""
        profile = {"first_name": "Anna", "last_name": user, "username": None, "language_code": "uk"}
        place = {"channel": self.channel, "user": user, "chat": user}
        key = uuid.uuid4().hex[:26]
        return [
            operation("sender", **profile, **place),
            operation("conversation.open", conversation=key, **place),
            operation(
                "message",
                conversation=key,
                sequence=1,
                author="customer",
                kind="text",
                body="Hi",
                step=None,
                telegram_message="1",
            ),
        ]
