from odoo.tests import tagged

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
        self.assertEqual(len(self.bot.recent_sender_ids), 2)

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
