from datetime import timedelta

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, tagged

from .. import compat
from .common import BridgeCase

SETTINGS = ["menu_messengers", "menu_step_aliases", "menu_chats", "menu_canned_responses", "menu_bridge"]


@tagged("post_install", "-at_install")
class TestBot(BridgeCase):
    """Bots, their cards and forms."""

    def test_fresh_install_has_two_bots(self):  # B-8
        operator = self.env.ref("chatbridge.bot_operator")
        self.assertEqual((operator.name, operator.kind), ("Operator Chat", "operator"))
        self.assertEqual((self.bot.name, self.bot.kind), ("Client Chat", "client"))
        self.assertTrue(self.step.first)
        self.assertEqual(operator.channel_ids.messenger_id.code, "livechat")

    def test_cards_count(self):  # B-1
        self.connect()
        self.apply(
            self.sender(),
            self.opening(),
            self.sender("78"),
            self.opening("conversation-2", "78"),
            self.opening("conversation-3", "78"),
        )
        counts = self.bot.channel_count, self.bot.conversation_count, self.bot.sender_count, self.bot.step_count
        self.assertEqual(counts, (1, 3, 2, 1))
        self.assertEqual(len(self.bot.recent_conversation_ids), 3)
        self.assertEqual(len(self.bot.recent_membership_ids), 2)

    def test_several_bots_side_by_side(self):  # B-7
        lviv, kyiv = self.env["chatbridge.bot"].create([{"name": "Lviv"}, {"name": "Kyiv"}])
        for bot in (lviv, kyiv):
            self.env["chatbridge.step"].create(
                {"bot_id": bot.id, "text": bot.name, "alias_ids": [(0, 0, {"code": "/start"})]}
            )
            self.env["chatbridge.channel"].create({"name": bot.name, "bot_id": bot.id, "token": "%d:abc" % bot.id})
        self.assertEqual(lviv.step_ids.mapped("first"), [True])
        self.assertEqual((lviv.channel_count, kyiv.channel_count), (1, 1))

    def test_defaults(self):  # B-SET-4, B-SET-15
        bot = self.env["chatbridge.bot"].create({"name": "New"})
        self.assertEqual(bot.not_started_message, "Press /start to talk.")
        self.assertTrue(bot.wait_for_start)
        self.assertTrue(bot.create_partner)
        self.assertEqual(bot.company_id, self.env.company)
        self.assertIn(bot.language, dict(self.env["res.lang"].get_installed()))

    def test_defaults_of_an_operator_chat(self):
        """B-SET-2, B-SET-3, B-SET-5, B-SET-6, B-SET-7, B-SET-8, B-SET-9, B-SET-10, B-SET-11."""
        bot = self.env["chatbridge.bot"].create({"name": "Desk", "kind": "operator"})
        self.assertFalse(bot.odoo_operators_only)
        self.assertEqual(bot.most_parallel_chats, 0)
        texts = {
            "operator_connected": "connected to chat. Please start messaging!",
            "no_operator": "Sorry, no operator available",
            "how_to_end": "If you would like to end your consultation Press: /end",
            "moderation": "Please wait for approval you as consultant",
            "approved": "You Approved",
            "rejected": "You Reject",
            "consultation_ended": "Consultation completed",
        }
        for name, text in texts.items():
            self.assertEqual(bot[name + "_message"], text)

    def test_live_chat_is_there_from_the_start(self):  # B-2
        desk, shop = self.env["chatbridge.bot"].create(
            [{"name": "Desk", "kind": "operator"}, {"name": "Shop", "kind": "client"}]
        )
        livechat = desk.channel_ids
        self.assertEqual((livechat.name, livechat.messenger_code), ("Odoo live chat", "livechat"))
        self.assertFalse(shop.channel_ids)
        with self.assertRaisesRegex(UserError, "can't be deleted"):
            livechat.with_user(self.user("administrator")).action_delete()
        desk.with_user(self.user("administrator")).unlink()
        self.assertFalse(livechat.exists())

    def test_one_joins_and_leaves(self):  # B-1, OP-1
        user = self.user("operator")
        bot = self.env.ref("chatbridge.bot_operator").with_user(user)
        self.assertEqual((bot.joined, bot.operator_count), (False, 0))
        bot.action_join()
        compat.invalidate_all(self.env)
        self.assertEqual((bot.joined, bot.operator_count), (True, 1))
        self.assertFalse(bot.with_user(self.user("administrator")).joined)
        bot.action_leave()
        compat.invalidate_all(self.env)
        self.assertEqual((bot.joined, bot.operator_count), (False, 0))

    def test_an_admin_adds_and_removes_operators(self):  # OP-16, B-2
        bot = self.env.ref("chatbridge.bot_operator")
        joined = self.user("operator")
        bot.with_user(joined).action_join()
        added = self.user("user")
        with Form(bot.with_user(self.user("administrator"))) as form:
            with form.operator_ids.new() as line:
                line.user_id = added
        first, second = bot.operator_ids
        self.assertEqual((first.user_id, second.user_id), (joined, added))
        self.assertEqual((first.messenger_id, second.messenger_id), (self.livechat(), self.livechat()))
        self.assertEqual((first.name, second.name), (joined.name, added.name))
        self.assertEqual((first.open_count, second.open_count), (0, 0))
        with Form(bot.with_user(self.user("administrator"))) as form:
            form.operator_ids.remove(index=1)
        self.assertEqual(bot.operator_ids, first)
        with self.assertRaises(AccessError):
            first.with_user(added).unlink()

    def livechat(self):
        """Return the messenger of Odoo operators."""
        return self.env.ref("chatbridge.messenger_livechat")

    def test_presence_of_operators(self):  # B-2, OP-3
        user = self.user("operator")
        self.env.ref("chatbridge.bot_operator").with_user(user).action_join()
        operator = self.env.ref("chatbridge.bot_operator").operator_ids
        self.assertEqual(operator.presence, "offline")
        presence = self.env["mail.presence" if "mail.presence" in self.env else "bus.presence"].sudo()
        now = fields.Datetime.now()
        row = presence.create({"user_id": user.id, "status": "online", "last_poll": now, "last_presence": now})
        for shown, polled, active in (("online", 0, 0), ("away", 0, 7200), ("offline", 600, 7200)):
            polled, active = now - timedelta(seconds=polled), now - timedelta(seconds=active)
            row.write({"status": shown, "last_poll": polled, "last_presence": active})
            self.flush()
            compat.invalidate_all(self.env)
            self.assertEqual(operator.with_user(self.user("user")).presence, shown)

    def test_a_chat_joins_another_bot(self):  # B-2
        desk = self.env["chatbridge.bot"].create({"name": "Desk", "kind": "operator"})
        action = desk.action_join_channel()
        self.assertEqual((action["res_model"], action["target"]), ("chatbridge.channel.join", "new"))
        wizard = self.env["chatbridge.channel.join"].with_user(self.user("administrator"))
        with Form(wizard.with_context(**action["context"])) as form:
            form.channel_id = self.channel
            self.assertEqual(form.from_bot_id, self.bot)
        form.save().action_join()
        self.assertEqual(self.channel.bot_id, desk)
        self.assertEqual((desk.channel_count, self.bot.channel_count), (2, 0))
        with self.assertRaises(AccessError):
            self.env["chatbridge.channel.join"].with_user(self.user("operator")).create(
                {"bot_id": self.bot.id, "channel_id": self.channel.id}
            )

    def test_live_chats_and_own_chats_are_not_offered(self):  # B-2
        desk = self.env["chatbridge.bot"].create({"name": "Desk", "kind": "operator"})
        domain = [("bot_id", "!=", desk.id), ("messenger_code", "!=", "livechat")]
        self.assertEqual(self.env["chatbridge.channel"].search(domain), self.channel)

    def test_a_bot_warns_of_chats_that_nobody_joined(self):  # ST-OP, ST-6
        desk = self.env["chatbridge.bot"].create({"name": "Desk", "kind": "operator"})
        step = self.env["chatbridge.step"].create(
            {"bot_id": self.bot.id, "kind": "operator", "operator_bot_id": desk.id}
        )
        self.assertEqual((self.bot.unattended_chats, step.nobody_joined), ("Desk", True))
        desk.with_user(self.user("operator")).action_join()
        compat.invalidate_all(self.env)
        self.assertEqual((self.bot.unattended_chats, step.nobody_joined), (False, False))

    def test_default_texts_come_in_every_language(self):  # B-SET-4
        self.env["res.lang"]._activate_lang("uk_UA") if hasattr(self.env["res.lang"], "_activate_lang") else None
        bot = self.env["chatbridge.bot"].create({"name": "New"})
        self.assertEqual(bot.with_context(lang="en_US").not_started_message, "Press /start to talk.")

    def test_menus(self):  # SET-7
        root = self.env.ref("chatbridge.menu_root")
        self.assertEqual(
            root.child_id.sorted("sequence").mapped("name"), ["Bots", "Conversations", "Senders", "Settings"]
        )
        settings = self.env.ref("chatbridge.menu_settings").child_id.sorted("sequence")
        self.assertEqual(
            settings, self.env["ir.ui.menu"].browse([self.env.ref("chatbridge." + name).id for name in SETTINGS])
        )
        self.assertTrue(root.web_icon_data)

    def test_client_chat_form_has_its_tabs(self):  # B-3
        arch = self.env["chatbridge.bot"].with_user(self.user("administrator"))
        views = arch.get_view(view_type="form") if hasattr(arch, "get_view") else arch.fields_view_get(view_type="form")
        for page in ("steps", "settings", "channels", "conversations", "senders"):
            self.assertIn('name="%s"' % page, views["arch"])

    def test_actions_are_narrowed_to_the_bot(self):  # B-3
        for action in (self.bot.action_add_step(), self.bot.action_add_channel()):
            self.assertEqual(action["context"], {"default_bot_id": self.bot.id})
            self.assertEqual(action["views"], [(False, "form")])
        self.assertEqual(self.bot.action_conversations()["domain"], [("bot_id", "=", self.bot.id)])
        self.assertEqual(self.bot.action_steps()["domain"], [("bot_id", "=", self.bot.id)])
        self.assertTrue(self.bot.action_senders()["domain"])
