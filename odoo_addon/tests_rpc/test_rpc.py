"""The RPC surface from outside: real Odoo, real HTTP, several connections at once.

Run with ``python3 odoo_addon/tests_rpc/test_rpc.py``; needs the lab. ``SERIES=14`` takes one series only.
"""

import sys
import threading
import time
import unittest
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parent)]

from case import RpcCase, of_series, operation  # noqa: E402
from lab_odoo import OdooError  # noqa: E402


class RpcTests(RpcCase):
    """The tests; a class for each series inherits them."""

    def test_one_key_over_many_connections(self):
        batch = [one for n in range(5) for one in self.person("same-%d" % n)]
        answers = self.at_once([batch] * 6)
        self.assertTrue(all("ok" in answer for answer in answers[0]), answers[0])
        self.assertTrue(all(answer == answers[0] for answer in answers))
        senders = self.admin.call("chatbridge.sender", "search", [["user_ref", "like", "same-"]])
        self.assertEqual(len(senders), 5)
        self.assertEqual(
            self.admin.call("chatbridge.message", "search_count", [["conversation_id.sender_id", "in", senders]]), 5
        )
        partners = self.admin.call("res.partner", "search_count", [["name", "like", "Telegram:Anna same-"]])
        self.assertEqual(partners, 5)

    def test_one_chat_opened_by_many_at_once(self):
        answers = self.at_once([self.person("rush") for _ in range(4)])
        self.assertTrue(all("ok" in answer for batch in answers for answer in batch), answers)
        self.assertEqual(len(self.found("chatbridge.sender", user_ref="rush")), 1)
        states = self.admin.call("chatbridge.conversation", "search_read", [["chat_ref", "=", "rush"]], ["state"])
        self.assertEqual(sorted(row["state"] for row in states), ["active", "ended", "ended", "ended"])
        self.assertNotIn("Anna", self.log.read_text(errors="replace"))

    def test_one_profile_changed_by_many_at_once(self):
        self.apply(self.person("twin"))
        place = {"channel": self.channel, "user": "twin", "chat": "twin"}
        batches = [
            [operation("sender", first_name="Anna%d" % n, last_name=None, username=None, language_code=None, **place)]
            for n in range(4)
        ]
        self.assertTrue(all("ok" in answer for batch in self.at_once(batches) for answer in batch))
        names = self.admin.call("chatbridge.sender", "search_read", [["user_ref", "=", "twin"]], ["name", "partner_id"])
        self.assertEqual(names[0]["partner_id"][1].split(":")[1], names[0]["name"])
        self.assertNotIn("Anna", self.log.read_text(errors="replace"))

    def test_a_batch_over_http_is_fast(self):
        self.apply(self.person("fast"))
        key = self.admin.call("chatbridge.conversation", "search", [["chat_ref", "=", "fast"]])
        self.assertEqual(len(key), 1)
        opened = operation(
            "conversation.open", conversation="fast-talk", channel=self.channel, user="fast", chat="fast"
        )
        batch = [
            operation(
                "message",
                conversation="fast-talk",
                sequence=n,
                author="bot",
                kind="text",
                body="<p>Hi <b>you</b></p>",
                step=None,
                telegram_message=None,
            )
            for n in range(1, 500)
        ]
        start = time.monotonic()
        answers = self.apply([opened] + batch)
        seconds = time.monotonic() - start
        self.assertTrue(all("ok" in answer for answer in answers))
        print("Odoo %s: 500 operations in %.0f ms" % (self.number, seconds * 1000), file=sys.stderr)
        self.assertLess(seconds, 5)

    def test_a_saved_form_nudges_the_bridge(self):  # SET-5
        heard = threading.Event()

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                self.rfile.read(int(self.headers["Content-Length"]))
                self.send_response(204)
                self.end_headers()
                heard.set()

            def log_message(self, *args):
                pass

        server = HTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        self.shake("http://127.0.0.1:%d/odoo/nudge" % server.server_port)
        heard.clear()
        start = time.monotonic()
        self.admin.call("chatbridge.bot", "write", [self.bot], {"not_started_message": "Changed"})
        self.assertTrue(heard.wait(2))
        print(
            "Odoo %s: nudged %.0f ms after the save began" % (self.number, (time.monotonic() - start) * 1000),
            file=sys.stderr,
        )
        events = self.bridges[0].call("chatbridge.bridge", "events", self.claim, 100, ["configuration"])
        self.assertIn(self.bot, events[-1]["payload"]["bots"])

    def test_errors_have_names_that_the_bridge_knows(self):
        with self.assertRaises(OdooError) as raised:
            self.bridges[0].call("chatbridge.bridge", "events", {"store_id": "s", "generation": 0}, 1)
        self.assertEqual(raised.exception.name, "odoo.addons.chatbridge.exceptions.LeaseLost")
        with self.assertRaises(OdooError) as raised:
            self.admin.call("chatbridge.bridge", "events", self.claim, 1)
        self.assertEqual(raised.exception.name, "odoo.exceptions.AccessError")


class TestRpc14(RpcTests, unittest.TestCase):
    """Odoo 14.0."""

    number = "14"


class TestRpc19(RpcTests, unittest.TestCase):
    """Odoo 19.0."""

    number = "19"


load_tests = of_series(TestRpc14, TestRpc19)


if __name__ == "__main__":
    unittest.main()
