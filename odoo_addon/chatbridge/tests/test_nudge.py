import json
import os
import socket
import threading
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, HTTPServer
from unittest.mock import patch

from odoo.tests import BaseCase, tagged

from ..rpc import nudge
from .common import BridgeCase

SECRET = "00ff" * 8


class Bridge:
    """A bridge's web server that remembers what it heard."""

    def __init__(self, status=200):
        heard = self.heard = []
        self.arrived = threading.Event()
        arrived = self.arrived

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                heard.append((self.path, dict(self.headers), body))
                self.send_response(status)
                self.send_header("Location", "/elsewhere")
                self.end_headers()
                arrived.set()

            def log_message(self, *args):
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = "http://127.0.0.1:%d/odoo/nudge" % self.server.server_port
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        """Stop serving."""
        self.server.shutdown()
        self.server.server_close()


@tagged("post_install", "-at_install")
class TestNudge(BaseCase):
    """The signal after a commit: signed, soon, and never in anybody's way."""

    def bridge(self, **kw):
        bridge = Bridge(**kw)
        self.addCleanup(bridge.close)
        return bridge

    def test_it_is_signed(self):
        bridge = self.bridge()
        nudge.send(nudge.Target(bridge.url, SECRET, "the-database"))
        ((path, headers, body),) = bridge.heard
        self.assertEqual((path, json.loads(body)), ("/odoo/nudge", {"database_uuid": "the-database"}))
        timestamp = headers["X-Chatbridge-Timestamp"]
        self.assertLess(abs(time.time() - int(timestamp)), 10)
        self.assertEqual(headers["X-Chatbridge-Signature"], nudge.signature(SECRET, timestamp, body))
        self.assertEqual(
            nudge.signature(SECRET, "1", b"{}"), "959411bd2f9f77ad878254c723f0f1882ec2d09a1c686e98ab67545aedefa36a"
        )

    def test_redirects_are_not_followed(self):
        bridge = self.bridge(status=307)
        nudge.send(nudge.Target(bridge.url, SECRET, "d"))
        self.assertEqual(len(bridge.heard), 1)

    def test_nobody_waits_for_a_bridge_that_is_gone(self):
        with socket.socket() as deaf:
            deaf.bind(("127.0.0.1", 0))
            deaf.listen()
            target = nudge.Target("http://127.0.0.1:%d/odoo/nudge" % deaf.getsockname()[1], SECRET, "d")
            start = time.monotonic()
            nudge._nudger.add(target)
            self.assertLess(time.monotonic() - start, 0.5)

    def test_an_address_that_drips_bytes_is_left_soon(self):
        with socket.socket() as dripping:
            dripping.bind(("127.0.0.1", 0))
            dripping.listen()

            def drip():
                connection, _peer = dripping.accept()
                with connection, suppress(OSError):
                    connection.sendall(b"HTTP/1.1 200 OK\r\nX: ")
                    while True:
                        connection.sendall(b"x")
                        time.sleep(0.05)

            threading.Thread(target=drip, daemon=True).start()
            start = time.monotonic()
            nudge.send(nudge.Target("http://127.0.0.1:%d/odoo/nudge" % dripping.getsockname()[1], SECRET, "d"))
            self.assertLess(time.monotonic() - start, 2)

    def test_an_address_that_never_answers_is_left_soon_and_hinders_nobody(self):
        bridge = self.bridge()
        with socket.socket() as deaf:
            deaf.bind(("127.0.0.1", 0))
            deaf.listen()
            start = time.monotonic()
            nudge._nudger.add(nudge.Target("http://127.0.0.1:%d/odoo/nudge" % deaf.getsockname()[1], SECRET, "d"))
            nudge._nudger.add(nudge.Target(bridge.url, SECRET, "other"))
            self.assertTrue(bridge.arrived.wait(5))
            self.assertLess(time.monotonic() - start, 0.9)
            while nudge._nudger._threads and time.monotonic() - start < 5:
                time.sleep(0.05)
            self.assertLess(time.monotonic() - start, 2)
            self.assertFalse(nudge._nudger._threads)

    def test_proxies_of_the_environment_are_not_asked(self):
        bridge, proxy = self.bridge(), self.bridge()
        names = ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY")
        with patch.dict(os.environ, dict.fromkeys(names, proxy.url), no_proxy=""):
            nudge.send(nudge.Target(bridge.url, SECRET, "d"))
        self.assertEqual((len(bridge.heard), len(proxy.heard)), (1, 0))

    def test_other_addresses_are_not_called(self):
        bridge = self.bridge()
        nudge.send(nudge.Target(bridge.url.replace("/odoo/nudge", "/web/login"), SECRET, "d"))
        nudge.send(nudge.Target("file:///odoo/nudge", SECRET, "d"))
        self.assertFalse(bridge.heard)

    def test_many_nudges_are_few(self):
        bridge = self.bridge()
        for _time in range(200):
            nudge._nudger.add(nudge.Target(bridge.url, SECRET, "many"))
        self.assertTrue(bridge.arrived.wait(5))
        time.sleep(0.3)
        self.assertLess(len(bridge.heard), 100)

    def test_the_thread_sends_it(self):
        bridge = self.bridge()
        nudge._nudger.add(nudge.Target(bridge.url, SECRET, "e"))
        self.assertTrue(bridge.arrived.wait(5))

    def test_errors_don_t_show_the_secret(self):
        with self.assertLogs("odoo.addons.chatbridge.rpc.nudge", "DEBUG") as logs:
            nudge.send(nudge.Target("http://127.0.0.1:1/odoo/nudge", SECRET, "d"))
        self.assertNotIn(SECRET, " ".join(logs.output))


@tagged("post_install", "-at_install")
class TestNudgeAfterCommit(BridgeCase):
    """Which transactions nudge."""

    def waiting(self):
        """Return how many callbacks wait for the commit."""
        return len(self.env.cr.postcommit._funcs)

    def test_events_nudge_where_the_bridge_wants_it(self):
        self.connect(nudge_url="http://127.0.0.1:1/odoo/nudge", nudge_secret=SECRET)
        self.take_events()
        before = self.waiting()
        self.bot.name = "Changed"
        self.flush()
        self.step.text = "Changed too"
        self.flush()
        self.assertEqual(self.waiting(), before + 1)
        self.env.cr.postcommit.clear()

    def test_without_an_address_nobody_is_nudged(self):
        self.connect()
        self.take_events()
        before = self.waiting()
        self.bot.name = "Changed"
        self.flush()
        self.assertEqual(self.waiting(), before)
