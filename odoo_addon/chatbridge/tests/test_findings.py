from datetime import timedelta
from unittest.mock import patch

from odoo import fields
from odoo.tests import tagged

from .. import compat
from .common import BridgeCase, hello


@tagged("post_install", "-at_install")
class TestFindings(BridgeCase):
    """What `chatbridge check` hears from Odoo: a probe changes nothing and says what is wrong (SET-6)."""

    def setUp(self):
        super().setUp()
        desk = self.env.ref("chatbridge.bot_operator")
        self.env["chatbridge.operator"].create({"bot_id": desk.id, "user_id": self.env.ref("base.user_admin").id})

    def probe(self, **changes):
        return self.bridge.handshake(hello(probe=True, **changes))

    def found(self, **changes):
        """Return what a probe finds, as text."""
        findings = self.probe(**changes)["findings"]
        for finding in findings:
            self.assertEqual(set(finding), {"place", "sentence", "remedy"})
            self.assertTrue(all(finding.values()), finding)
        return ["%(place)s: %(sentence)s" % finding for finding in findings]

    def everything(self):
        self.flush()
        self.env.cr.execute("SELECT to_json(s) FROM chatbridge_bridge_status s ORDER BY id")
        return self.env.cr.fetchall()

    def test_a_probe_changes_nothing(self):
        before = self.everything()
        answer = self.probe()
        self.assertEqual((answer["status"], answer["nonce"], answer["findings"]), ("ready", "", []))
        self.assertEqual(self.everything(), before)
        self.connect()
        before = self.everything()
        answer = self.probe(store_id="another")
        self.assertEqual((answer["status"], answer["nonce"]), ("standby", ""))
        answer = self.probe(database_uuid="another", nonce="unknown")
        self.assertEqual((answer["status"], bool(answer["sentence"])), ("confirm", True))
        self.assertEqual(self.everything(), before)
        self.assertNotIn("findings", self.bridge.handshake(hello()))

    def test_configuration_without_a_claim(self):
        self.assertIn(self.bot.id, self.bridge.configuration(None, {})["bot_ids"])

    def test_no_token(self):
        self.channel.unlink()
        self.assertIn("No chat has a Telegram token", self.found()[0])

    def test_messenger_off(self):
        self.telegram.action_switch_off()
        self.assertIn("Telegram", self.found()[0])

    def test_channels_in_trouble(self):
        self.channel.write({"state": "refused", "last_error": "Unauthorized"})
        self.assertIn("«Shop»: Refused by Telegram: Unauthorized", self.found()[0])
        self.channel.write({"state": "unreachable", "last_error": False})
        self.assertIn("out of reach", self.found()[0])

    def test_webhook_without_https(self):  # SET-8
        self.env["ir.config_parameter"].sudo().set_param("chatbridge.allow_local_webhook", "1")
        self.channel.webhook_url = "http://bot.example.com"
        self.assertFalse(self.found())
        self.env["ir.config_parameter"].sudo().set_param("chatbridge.allow_local_webhook", False)
        compat.invalidate_all(self.env)
        self.assertIn("https", self.found()[0])
        self.channel.webhook_url = "https://bot.example.com"
        self.assertFalse(self.found())

    def test_no_first_step(self):
        self.step.alias_ids.filtered(lambda alias: alias.code_key == "/start").unlink()
        self.assertIn("/start", self.found()[0])
        self.bot.step_ids.unlink()
        self.assertFalse(self.found())

    def test_operator_chat_without_operators(self):
        desk = self.env.ref("chatbridge.bot_operator")
        self.env["chatbridge.step"].create({"bot_id": self.bot.id, "kind": "operator", "operator_bot_id": desk.id})
        self.assertFalse(self.found())
        desk.operator_ids.unlink()
        self.assertIn("nobody has joined", self.found()[0])
        desk.active = False
        self.assertIn("archived", self.found()[0])

    def test_a_bridge_that_is_silent_or_has_refusals(self):
        self.connect()
        status = self.env["chatbridge.bridge.status"]._get()
        self.assertFalse(self.found())
        status.write({"last_heartbeat": fields.Datetime.now() - timedelta(hours=2), "operations_refused": 3})
        found = self.found()
        self.assertIn("No bridge has been heard of", found[0])
        self.assertIn("3 writes", found[1])
        status._hold("another", "other_store")
        self.assertIn("waits for a confirmation", self.found()[0])

    def test_another_series(self):
        other = "19.0" if compat.SERIES == 14 else "14.0"
        with patch.object(compat, "BUILT_FOR", other):
            self.assertIn("built for Odoo %s" % other, self.found()[0])
