from datetime import timedelta
from unittest.mock import patch

from odoo import fields, release
from odoo.exceptions import UserError, ValidationError
from odoo.tests import tagged

from .. import compat
from ..exceptions import LeaseLost
from .common import BridgeCase, hello

OTHER_STORE = "01JDA000000000000000STORE2"


@tagged("post_install", "-at_install")
class TestHandshake(BridgeCase):
    """Who may serve the database: leases, generations, restored copies."""

    def setUp(self):
        super().setUp()
        self.status = self.env["chatbridge.bridge.status"]._get()
        self.database = self.env["ir.config_parameter"].get_param("database.uuid")

    def beat(self, nonce, **changes):
        status = {
            "nonce": nonce,
            "version": "0.1.0",
            "operations_waiting": 0,
            "operations_refused": 0,
            "sends_waiting": 0,
            "nudges": False,
            "channels": [],
        }
        return self.bridge.heartbeat(self.claim, dict(status, **changes))

    def be_silent(self):
        self.status.last_heartbeat = fields.Datetime.now() - timedelta(seconds=31)

    def test_first_store_is_taken(self):
        answer = self.connect()
        self.assertEqual(answer["status"], "ready")
        self.assertEqual(answer["generation"], 1)
        self.assertEqual(answer["database_uuid"], self.database)
        self.assertEqual(answer["lease_seconds"], 30)
        self.assertIn("en_US", answer["languages"])
        self.assertTrue(answer["addon_version"].startswith(answer["series"]))

    def test_same_store_takes_its_lease_over_at_once(self):
        first = self.connect()
        self.beat(first["nonce"])
        second = self.connect(nonce=first["nonce"], database_uuid=self.database)
        self.assertEqual((second["status"], second["generation"]), ("ready", 2))

    def test_old_claim_is_refused(self):
        first = self.connect()
        old = dict(self.claim)
        self.connect(nonce=first["nonce"], database_uuid=self.database)
        with self.assertRaises(LeaseLost):
            self.bridge.events(old, 10)

    def test_other_store_waits_while_the_lease_runs(self):
        self.connect()
        answer = self.bridge.handshake(hello(store_id=OTHER_STORE))
        self.assertEqual(answer["status"], "standby")
        self.assertFalse(self.status.waiting_store_id)
        self.bridge.events(self.claim, 10)

    def test_other_store_needs_a_confirmation_after_the_lease(self):
        self.connect()
        self.be_silent()
        answer = self.bridge.handshake(hello(store_id=OTHER_STORE))
        self.assertEqual(answer["status"], "confirm")
        self.assertTrue(answer["sentence"])
        self.assertEqual(self.status.connection, "confirm")
        self.status.with_user(self.user("administrator")).action_confirm()
        answer = self.connect(store_id=OTHER_STORE)
        self.assertEqual((answer["status"], answer["generation"]), ("ready", 2))
        self.assertEqual(self.status.connection, "connected")

    def test_each_confirmation_begins_an_epoch(self):
        first = self.connect()
        self.assertEqual(first["epoch"], "")
        self.be_silent()
        self.bridge.handshake(hello(store_id=OTHER_STORE))
        self.status.with_user(self.user("administrator")).action_confirm()
        second = self.connect(store_id=OTHER_STORE)
        self.assertTrue(second["epoch"])
        third = self.connect(store_id=OTHER_STORE, nonce=second["nonce"], database_uuid=self.database)
        self.assertEqual(third["epoch"], second["epoch"])

    def test_registered_store_may_come_back_while_another_waits(self):
        first = self.connect()
        self.be_silent()
        self.bridge.handshake(hello(store_id=OTHER_STORE))
        self.bridge.events(self.claim, 10)
        again = self.connect(nonce=first["nonce"], database_uuid=self.database)
        self.assertEqual(again["status"], "ready")
        self.assertFalse(self.status.waiting_store_id)

    def test_restored_database_asks_for_a_confirmation(self):
        first = self.connect()
        self.beat(first["nonce"])
        second = self.connect(nonce=first["nonce"], database_uuid=self.database)
        self.beat(second["nonce"])
        # The store remembers a meeting that this database does not: the database is an earlier state.
        answer = self.bridge.handshake(hello(nonce="of-a-later-meeting", database_uuid=self.database))
        self.assertEqual(answer["status"], "confirm")
        with self.assertRaises(LeaseLost):
            self.bridge.events(self.claim, 10)
        self.status.with_user(self.user("administrator")).action_confirm()
        answer = self.connect(nonce="of-a-later-meeting", database_uuid=self.database)
        self.assertEqual((answer["status"], answer["generation"]), ("ready", 3))

    def test_restored_store_asks_for_a_confirmation(self):
        first = self.connect()
        self.beat(first["nonce"])
        second = self.connect(nonce=first["nonce"], database_uuid=self.database)
        self.beat(second["nonce"])
        answer = self.bridge.handshake(hello(nonce=first["nonce"], database_uuid=self.database))
        self.assertEqual(answer["status"], "confirm")

    def test_copied_database_asks_for_a_confirmation(self):
        first = self.connect()
        self.beat(first["nonce"])
        self.env["ir.config_parameter"].set_param("database.uuid", "a-staging-copy")
        answer = self.bridge.handshake(hello(nonce=first["nonce"], database_uuid=self.database))
        self.assertEqual(answer["status"], "confirm")

    def test_store_of_another_database_is_not_taken(self):
        answer = self.bridge.handshake(hello(nonce="x", database_uuid="another"))
        self.assertEqual(answer["status"], "confirm")

    def test_lost_answers_are_no_false_alarm(self):
        self.connect()
        self.connect()
        third = self.connect()
        self.assertEqual(third["status"], "ready")
        self.beat(third["nonce"])
        for _attempt in range(3):
            answer = self.connect(nonce=third["nonce"], database_uuid=self.database)
            self.assertEqual(answer["status"], "ready")

    def test_lost_answer_after_a_confirmation(self):
        self.connect()
        self.be_silent()
        self.bridge.handshake(hello(store_id=OTHER_STORE, nonce="old", database_uuid="elsewhere"))
        self.status.with_user(self.user("administrator")).action_confirm()
        for _attempt in range(2):
            answer = self.connect(store_id=OTHER_STORE, nonce="old", database_uuid="elsewhere")
            self.assertEqual(answer["status"], "ready")

    def test_heartbeat_keeps_the_lease_and_shows_the_bridge(self):  # SET-6
        first = self.connect()
        self.take_events()
        self.be_silent()
        self.assertEqual(self.status.connection, "lost")
        answer = self.beat(
            first["nonce"],
            operations_waiting=3,
            version="0.2.0",
            channels=[
                {
                    "channel": self.channel.id,
                    "state": "polling",
                    "since": "2026-11-22T19:00:00.5Z",
                    "last_update": None,
                    "last_error": None,
                    "username": "shop_bot",
                }
            ],
        )
        self.assertEqual(answer["status"], "ready")
        self.assertEqual((self.status.connection, self.status.operations_waiting), ("connected", 3))
        self.assertEqual((self.channel.state, self.channel.username), ("polling", "shop_bot"))
        self.assertEqual(self.take_events(), [])

    def test_heartbeat_of_a_restored_store(self):
        self.connect()
        self.assertEqual(self.beat("unknown")["status"], "confirm")
        with self.assertRaises(LeaseLost):
            self.beat("unknown")

    def test_protocol_that_differs_says_which_side_is_old(self):
        with self.assertRaisesRegex(UserError, "update the bridge"):
            self.bridge.handshake(hello(protocol=0))
        with self.assertRaisesRegex(UserError, "update the Odoo module"):
            self.bridge.handshake(hello(protocol=99))

    def test_addon_of_another_series_says_so(self):
        other = "19.0" if compat.SERIES == 14 else "14.0"
        self.assertEqual(compat.BUILT_FOR, release.series)
        with patch.object(compat, "BUILT_FOR", other), self.assertRaisesRegex(
            UserError, "built for Odoo %s, .*build.py %s.0" % (other, compat.SERIES)
        ):
            self.connect()

    def test_addresses_for_nudges(self):
        for url in (
            "http://127.0.0.1:8079/odoo/nudge",
            "https://chat.example/bridge/odoo/nudge",
            "http://[::1]:8079/odoo/nudge",
        ):
            self.assertEqual(self.connect(nudge_url=url)["status"], "ready", url)
        for url in (
            "http://127.0.0.1:8079/web/login",
            "http://127.0.0.1:8079/",
            "http://127.0.0.1/x?/odoo/nudge",
            "http://127.0.0.1/x#/odoo/nudge",
            "http://127.0.0.1/odoo/nudge?x",
            "http://user:pw@127.0.0.1/odoo/nudge",
            "http:///odoo/nudge",
            "http://127.0.0.1:99999/odoo/nudge",
            "file:///odoo/nudge",
            "ftp://127.0.0.1/odoo/nudge",
            "/odoo/nudge",
        ):
            with self.assertRaisesRegex(ValidationError, "nudge_url", msg=url):
                self.bridge.handshake(hello(nudge_url=url))

    def test_form_leads_to_the_bridge_s_user(self):  # SET-6
        action = self.status.with_user(self.env.ref("base.user_admin")).action_user()
        self.assertEqual((action["res_model"], action["res_id"]), ("res.users", self.bridge_user.id))
        self.assertEqual(self.env.ref("chatbridge.bridge_status").connection, "never")
        settings = self.status.with_user(self.user("administrator")).start_settings
        self.assertIn("CHATBRIDGE_ODOO_DATABASE=%s\nCHATBRIDGE_ODOO_LOGIN=chatbridge\n" % self.env.cr.dbname, settings)
        self.assertIn(self.env["ir.config_parameter"].get_param("web.base.url"), settings)

    def test_form_of_a_user_that_is_gone(self):
        self.env["ir.model.data"].search([("module", "=", "chatbridge"), ("name", "=", "user_bridge")]).unlink()
        with self.assertRaisesRegex(UserError, "Update the module"):
            self.status.action_user()
        self.assertIn("LOGIN=…", self.status.start_settings)

    def test_unknown_fields_are_refused(self):
        with self.assertRaisesRegex(ValidationError, "unknown field: colour"):
            self.bridge.handshake(hello(colour="red"))
