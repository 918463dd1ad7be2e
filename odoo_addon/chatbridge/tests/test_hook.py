import json
import logging
import socket
import threading
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, HTTPServer
from unittest.mock import patch

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import BaseCase, Form, tagged

from .. import compat
from ..models import chatbridge_channel_hook
from ..rpc import call, nudge
from .common import BridgeCase

SECRET = "00ff" * 8


class Bridge:
    """A bridge's web server that answers calls as it is told."""

    def __init__(self, answer, status=200):
        heard = self.heard = []
        body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                heard.append((self.path, dict(self.headers), self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(status)
                self.send_header("Location", "/elsewhere")
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args):
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = "http://127.0.0.1:%d/base/odoo/nudge" % self.server.server_port
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        """Stop serving."""
        self.server.shutdown()
        self.server.server_close()


@tagged("post_install", "-at_install")
class TestCall(BaseCase):
    """The call itself: signed, bounded, and None whatever goes wrong."""

    def call(self, url):
        return call.call(nudge.Target(url, SECRET, "the-database"), "refresh", 7)

    def bridge(self, *args, **kw):
        bridge = Bridge(*args, **kw)
        self.addCleanup(bridge.close)
        return bridge

    def test_it_is_signed_and_answered(self):
        bridge = self.bridge({"ok": True, "answer": "Webhook was set", "username": "shop_bot"})
        answer = self.call(bridge.url)
        self.assertEqual((answer.ok, answer.text, answer.username), (True, "Webhook was set", "shop_bot"))
        ((path, headers, body),) = bridge.heard
        self.assertEqual(path, "/base/odoo/call")
        self.assertEqual(json.loads(body), {"database_uuid": "the-database", "call": "refresh", "channel": 7})
        timestamp = headers["X-Chatbridge-Timestamp"]
        self.assertEqual(headers["X-Chatbridge-Signature"], nudge.signature(SECRET, timestamp, body))

    def test_what_is_no_answer(self):
        for answer, status in (({}, 200), (b"<html>", 200), ([], 200), ({"ok": True, "answer": ""}, 401), ({}, 307)):
            bridge = self.bridge(answer, status=status)
            self.assertIsNone(self.call(bridge.url))
            self.assertEqual(len(bridge.heard), 1)

    def test_a_bridge_that_is_gone(self):
        start = time.monotonic()
        self.assertIsNone(self.call("http://127.0.0.1:1/odoo/nudge"))
        self.assertIsNone(self.call("http://127.0.0.1:1/elsewhere"))
        self.assertLess(time.monotonic() - start, 1)

    def test_nobody_waits_longer_than_told(self):
        with socket.socket() as dripping, patch.object(call, "TIMEOUT", 0.5):
            dripping.bind(("127.0.0.1", 0))
            dripping.listen()
            ended = threading.Event()

            def drip():
                connection, _peer = dripping.accept()
                with connection, suppress(OSError):
                    connection.sendall(b"HTTP/1.1 200 OK\r\nX: ")
                    while True:
                        connection.sendall(b"x")
                        time.sleep(0.05)
                ended.set()

            threading.Thread(target=drip, daemon=True).start()
            start = time.monotonic()
            self.assertIsNone(self.call("http://127.0.0.1:%d/odoo/nudge" % dripping.getsockname()[1]))
            self.assertLess(time.monotonic() - start, 2)
            self.assertTrue(ended.wait(5), "the connection is closed, too")

    def test_errors_don_t_show_the_secret(self):
        with self.assertLogs("odoo.addons.chatbridge.rpc.call", logging.INFO) as logs:
            self.call("http://127.0.0.1:1/odoo/nudge")
        self.assertNotIn(SECRET, " ".join(logs.output))


@tagged("post_install", "-at_install")
class TestHook(BridgeCase):
    """The buttons of a channel's form, and what it says of a webhook's address."""

    def setUp(self):
        super().setUp()
        self.connect(nudge_url="http://127.0.0.1:1/odoo/nudge", nudge_secret=SECRET)
        self.take_events()
        model = type(self.channel)
        # A transaction of its own would not see what this test has not committed.
        apart = patch.object(model, "_in_own_transaction", lambda channel, work: work(channel.sudo()))
        apart.start()
        self.addCleanup(apart.stop)
        self.addCleanup(self.env.cr.postcommit.clear)

    def answering(self, *answers):
        """Let the bridge answer so, one after another; None is a bridge that can't be reached."""
        calls = []
        waiting = list(answers)

        def asked(target, name, channel_id):
            calls.append((name, channel_id))
            answer = waiting.pop(0)
            return answer and call.Answer(answer)

        patched = patch.object(chatbridge_channel_hook.call, "call", asked)
        patched.start()
        self.addCleanup(patched.stop)
        return calls

    def events(self):
        self.flush()
        return [(event["kind"], event["payload"]) for event in self.bridge.events(self.claim, 500)]

    def test_refresh_shows_telegrams_answer(self):  # SET-3
        calls = self.answering(
            {"ok": True, "answer": "Webhook was set", "username": "shop_bot"},
            {"ok": False, "answer": "Unauthorized (401)", "username": None},
        )
        self.channel.with_user(self.user("administrator")).action_refresh_hook()
        self.assertEqual(calls, [("refresh", self.channel.id)])
        found = (self.channel.hook_state, self.channel.hook_answer, self.channel.username)
        self.assertEqual(found, ("ok", "Webhook was set", "shop_bot"))
        self.channel.action_refresh_hook()
        found = (self.channel.hook_state, self.channel.hook_answer, self.channel.username)
        self.assertEqual(found, ("wrong", "Unauthorized (401)", "shop_bot"))
        self.assertEqual(self.events(), [], "an answer is no configuration")

    def test_refresh_where_the_bridge_cannot_be_called(self):  # SET-3
        self.answering(None)
        self.channel.action_refresh_hook()
        self.assertEqual((self.channel.hook_state, self.channel.hook_answer), ("checking", False))
        self.assertEqual(self.events(), [("channel.refresh", {"channel": self.channel.id})])

    def test_refresh_without_an_address(self):  # SET-3
        calls = self.answering()
        self.connect(nudge_url=None)
        self.flush()
        self.channel.action_refresh_hook()
        self.assertEqual((calls, self.channel.hook_state), ([], "checking"))

    def test_run_now(self):  # B-9
        calls = self.answering({"ok": True, "answer": "Fetching."}, {"ok": False, "answer": "Unauthorized"}, None)
        kinds = [self.channel.action_run_now()["params"]["type"] for _time in range(3)]
        self.assertEqual(kinds, ["success", "warning", "info"])
        self.assertEqual(calls[0], ("run", self.channel.id))
        self.assertEqual(self.events(), [("channel.run", {"channel": self.channel.id})])

    def test_buttons_are_for_administrators(self):  # SET-3, B-9
        self.answering()
        for level in ("user", "operator"):
            channel = self.channel.with_user(self.user(level))
            self.assertRaises(AccessError, channel.action_refresh_hook)
            self.assertRaises(AccessError, channel.action_run_now)

    def test_buttons_say_what_is_missing(self):  # SET-3
        self.answering()
        self.channel.token = False
        with self.assertRaisesRegex(UserError, "BotFather"):
            self.channel.action_refresh_hook()
        self.channel.token = "5:abc"
        self.bot.active = False
        with self.assertRaisesRegex(UserError, "archived"):
            self.channel.action_run_now()
        self.bot.active = True
        self.telegram.action_switch_off()
        with self.assertRaisesRegex(UserError, "switched off"):
            self.channel.action_refresh_hook()

    def test_addresses_that_telegram_cannot_reach(self):  # SET-8
        for address, words in (
            ("bot.example.com", "not an address"),
            ("https://", "not an address"),
            ("https://[", "not an address"),
            ("ftp://bot.example.com", "not an address"),
            ("https://user:pw@bot.example.com", "no user"),
            ("https://bot.example.com/?x=1", "no user"),
            ("http://bot.example.com", "https"),
            ("https://localhost", "own network"),
            ("https://odoo", "own network"),
            ("https://127.0.0.1", "own network"),
            ("https://10.1.2.3/bots", "own network"),
            ("https://192.168.1.5:8443", "own network"),
            ("https://172.16.0.1", "own network"),
            ("https://172.31.255.1", "own network"),
            ("https://169.254.1.1", "own network"),
            ("https://[::1]", "own network"),
            ("https://odoo.local", "own network"),
            ("https://ODOO.LOCAL.", "own network"),
            ("https://bot.example.com:8079", "8079"),
            ("https://bot.example.com:99999", "not an address"),
        ):
            with self.assertRaisesRegex(ValidationError, words, msg=address), self.env.cr.savepoint():
                self.channel.webhook_url = address
        for address in (
            "https://bot.example.com",
            "https://bot.example.com/bots/",
            "https://bot.example.com:8443",
            "https://172.32.0.1",
            "https://8.8.8.8:88",
            False,
        ):
            self.channel.webhook_url = address
            self.assertFalse(self.channel.webhook_warning)

    def test_the_form_says_it_before_it_is_saved(self):  # SET-8
        with Form(self.channel) as form:
            self.assertFalse(form.webhook_warning)
            form.webhook_url = "https://localhost"
            self.assertIn("own network", form.webhook_warning)
            form.webhook_url = "https://bot.example.com"
            self.assertFalse(form.webhook_warning)
        self.assertEqual(self.channel.webhook_url, "https://bot.example.com")

    def test_local_addresses_for_trying_out(self):  # SET-8
        self.env["ir.config_parameter"].set_param("chatbridge.allow_local_webhook", "1")
        self.channel.webhook_url = "http://127.0.0.1:8079"
        self.assertFalse(self.channel.webhook_warning)
        with self.assertRaises(ValidationError):
            self.channel.webhook_url = "nonsense"

    def test_a_changed_address_is_heard_of(self):  # SET-4, SET-5
        self.channel.webhook_url = "https://bot.example.com"
        self.assertEqual(self.take_events(), [self.bot.ids])
        channel = self.bridge.configuration(self.claim, {})["bots"][-1]["channels"][0]
        self.assertEqual(channel["webhook_url"], "https://bot.example.com")

    def test_a_new_chat_shows_the_defaults(self):  # SET-3
        form = Form(self.env["chatbridge.channel"].with_context(default_bot_id=self.bot.id))
        self.assertEqual((form.messenger_id, form.bot_id), (self.telegram, self.bot))
        self.assertEqual((form.send_operator_name, form.join_message, form.end_message), (False, True, True))
        plain = Form(self.env["chatbridge.channel"])
        self.assertEqual(plain.bot_id, self.env["chatbridge.bot"].search([("kind", "=", "client")], limit=1))

    def test_a_bridge_that_has_just_started_forgets_nothing(self):  # SET-6
        def beat(**changes):
            status = {
                "nonce": self.env.ref("chatbridge.bridge_status").nonce,
                "version": "0.1.0",
                "operations_waiting": 0,
                "operations_refused": 0,
                "sends_waiting": 0,
                "nudges": True,
            }
            channel = {"channel": self.channel.id, "state": "webhook", "since": "2026-11-22T19:00:00Z"}
            channel.update({"last_update": None, "last_error": None, "username": None}, **changes)
            self.bridge.heartbeat(self.claim, dict(status, channels=[channel]))

        beat(last_update="2026-11-22T19:00:05Z", username="shop_bot", last_error="Odd")
        beat()
        found = (self.channel.state, str(self.channel.last_update_at), self.channel.username, self.channel.last_error)
        self.assertEqual(found, ("webhook", "2026-11-22 19:00:05", "shop_bot", False))

    def test_a_form_tells_of_a_bridge_that_is_away(self):  # SET-6
        self.assertTrue(self.channel.bridge_connected)
        self.env.cr.execute("UPDATE chatbridge_bridge_status SET last_heartbeat = '2026-01-01'")
        compat.invalidate_all(self.env)
        self.assertFalse(self.channel.bridge_connected)
