from odoo import models
from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from .. import compat
from ..models.chatbridge_bridge import ChatbridgeBridge
from .common import TOKEN, ConsultationCase, hello

SURFACE = {"handshake", "heartbeat", "configuration", "apply", "ask", "events", "done"}

#: Every table of ours that people see, each with what the lowest level that may do it is.
SEEN = (
    "chatbridge.messenger",
    "chatbridge.bot",
    "chatbridge.channel",
    "chatbridge.step",
    "chatbridge.step.alias",
    "chatbridge.step.answer",
    "chatbridge.step.keyboard.button",
    "chatbridge.step.inline.button",
    "chatbridge.sender",
    "chatbridge.membership",
    "chatbridge.conversation",
    "chatbridge.message",
    "chatbridge.operator",
    "chatbridge.consultation",
)
#: Of these, what is seen only where it is of a chat that one has joined.
OF_CHATS = (
    "chatbridge.sender",
    "chatbridge.membership",
    "chatbridge.conversation",
    "chatbridge.message",
    "chatbridge.consultation",
)
HIDDEN = ("chatbridge.operation", "chatbridge.event", "chatbridge.bridge.status")


@tagged("post_install", "-at_install")
class TestRights(ConsultationCase):
    """Who may do what, tried as the lowest user."""

    def setUp(self):
        super().setUp()
        self.operator("julia")
        self.ask_for_operator(2)
        self.apply(self.sender(), self.opening(), self.message(1))
        self.step.write(
            {
                "answer_ids": [(0, 0, {"name": "Yes"})],
                "inline_button_ids": [(0, 0, {"name": "B", "url": "https://b.example"})],
            }
        )

    def test_plain_internal_users_see_nothing(self):
        user = self.user("internal")
        for name in SEEN + HIDDEN:
            with self.assertRaises(AccessError, msg=name), mute_logger("odoo.addons.base.models.ir_model"):
                self.env[name].with_user(user).search_count([])
        menus = self.env["ir.ui.menu"].with_user(user)._visible_menu_ids()
        self.assertNotIn(self.env.ref("chatbridge.menu_root").id, menus)

    def add(self, user, bot=None):
        """Make somebody an operator, as an administrator may with any user."""
        self.env["chatbridge.operator"].create({"bot_id": (bot or self.desk).id, "user_id": user.id})
        return user

    def seen_by(self, user, model="chatbridge.conversation"):
        """Return what somebody finds."""
        compat.flush_all(self.env)
        return self.env[model].with_user(user).search([])

    @mute_logger("odoo.addons.base.models.ir_rule")
    def test_operators_see_what_is_of_their_chats(self):
        user = self.user("operator")
        one, two = self.conversation(), self.conversation("conversation-2")
        other = self.env["chatbridge.bot"].create({"name": "Other", "kind": "operator"})
        for bot in (None, other):
            if bot:
                self.add(user, bot)
            for name in OF_CHATS:
                self.assertFalse(self.seen_by(user, name), name)
                record = self.env[name].search([], limit=1)
                with self.assertRaises(AccessError, msg=name):
                    record.with_user(user).read(["display_name"])
        self.add(user)
        self.assertEqual(self.seen_by(user), one | two)
        for name in OF_CHATS:
            self.assertEqual(self.seen_by(user, name), self.env[name].search([]), name)

    def test_a_chat_is_ones_own_by_its_steps_or_a_consultation(self):
        user = self.add(self.user("operator"))
        # Steps of other kinds have an operator chat too, which means nothing.
        self.step.operator_bot_id = self.desk
        self.step_to_operator.unlink()
        handed_over = self.conversation("conversation-2")
        self.assertEqual(self.seen_by(user), handed_over)
        self.assertEqual(self.seen_by(user, "chatbridge.message"), handed_over.message_ids)
        self.assertEqual(self.seen_by(user, "chatbridge.consultation"), handed_over.consultation_ids)
        self.assertEqual(self.seen_by(user, "chatbridge.sender"), handed_over.sender_id)
        self.assertEqual(self.seen_by(user, "chatbridge.membership"), handed_over.sender_id.membership_ids)
        self.step.kind = "operator"
        self.assertEqual(self.seen_by(user), self.conversation() | handed_over)
        self.bot.active = False
        self.assertEqual(self.seen_by(user), self.conversation() | handed_over)

    def test_administrators_join_nothing_to_see(self):
        for name in OF_CHATS:
            self.assertEqual(self.seen_by(self.user("administrator"), name), self.env[name].search([]), name)

    def test_bots_open_for_those_who_have_joined_nothing(self):
        user = self.user("operator")
        for joined, counts in ((False, (0, 0)), (True, (1, 1))):
            if joined:
                self.add(user)
            compat.invalidate_all(self.env)
            bots = (self.bot | self.desk).with_user(user)
            self.assertEqual(len(bots.read(list(bots.fields_get()))), 2)
            desk = self.desk.with_user(user)
            self.assertEqual((desk.conversation_count, desk.consultation_count), counts)
            self.assertEqual(bool(self.bot.with_user(user).conversation_count), joined)

    def test_users_read_and_write_nothing(self):
        user = self.add(self.user("user"))
        for name in SEEN:
            record = self.env[name].with_user(user).search([], limit=1)
            self.assertTrue(record.read(["display_name"]), name)
            for work in (lambda: record.unlink(), lambda: record.write({"create_uid": user.id}), lambda: record.copy()):
                with self.assertRaises(AccessError, msg=name):
                    work()
        for name in HIDDEN:
            with self.assertRaises(AccessError, msg=name):
                self.env[name].with_user(user).search_count([])

    def test_every_field_can_be_read_by_its_level(self):
        self.add(self.user("user"))
        for level, names in (("user", SEEN), ("administrator", SEEN + ("chatbridge.bridge.status",))):
            for name in names:
                model = self.env[name].with_user(self.user(level))
                self.assertTrue(model.search([], limit=1).read(list(model.fields_get())), name)

    def test_operators_have_no_settings(self):
        menus = self.env["ir.ui.menu"].with_user(self.user("operator"))._visible_menu_ids()
        self.assertIn(self.env.ref("chatbridge.menu_bots").id, menus)
        self.assertNotIn(self.env.ref("chatbridge.menu_settings").id, menus)

    def test_token_is_for_administrators(self):
        for level in ("user", "operator"):
            channel = self.channel.with_user(self.user(level))
            self.assertNotIn("token", channel.fields_get())
            with self.assertRaises(AccessError):
                channel.read(["token"])
            for field_name in ("token", "token_ids.value"):
                # Some series refuse the search, some log that they ignore it: what counts is that it tells nothing.
                with mute_logger("odoo.osv.expression", "odoo.domains"):
                    self.assertTrue(
                        self.tells_nothing(lambda term, name=field_name: channel.search([(name, "=like", term)]))
                    )
            with self.assertRaises(AccessError):
                self.env["chatbridge.channel.token"].with_user(self.user(level)).search([])
        self.assertEqual(self.channel.with_user(self.user("administrator")).token, TOKEN)

    def tells_nothing(self, search):
        """Tell whether a right and a wrong beginning of the token can't be told apart."""
        try:
            return search(TOKEN[:12] + "%") == search("9%")
        except (AccessError, ValueError, UserError):
            return True

    def test_nudge_secret_is_for_nobody(self):
        status = self.env.ref("chatbridge.bridge_status").with_user(self.user("administrator"))
        for name in ("nudge_secret", "nudge_url", "nonce"):
            with self.assertRaises(AccessError):
                status.read([name])

    def test_administrators_configure(self):
        user = self.user("administrator")
        bot = self.env["chatbridge.bot"].with_user(user).create({"name": "Shop"})
        channel = (
            self.env["chatbridge.channel"].with_user(user).create({"name": "C", "bot_id": bot.id, "token": "5:abc"})
        )
        step = self.env["chatbridge.step"].with_user(user).create({"bot_id": bot.id, "kind": "buttons", "text": "Hi"})
        step.write({"answer_ids": [(0, 0, {"name": "Yes"})], "alias_ids": [(0, 0, {"code": "/start"})]})
        self.assertEqual(step.keyboard_button_ids.label, "Yes")
        (channel | channel).unlink()
        bot.unlink()

    def test_only_the_bridge_calls_the_surface(self):
        for caller in (
            self.user("internal"),
            self.user("administrator"),
            self.env.ref("base.user_admin"),
            self.env.ref("base.user_root"),
        ):
            bridge = self.env["chatbridge.bridge"].with_user(caller)
            for call in (
                lambda: bridge.handshake(hello()),
                lambda: bridge.heartbeat(self.claim, {}),
                lambda: bridge.configuration(self.claim, {}),
                lambda: bridge.apply(self.claim, []),
                lambda: bridge.ask(self.claim, []),
                lambda: bridge.events(self.claim, 1),
                lambda: bridge.done(self.claim, []),
            ):
                self.assertRaises(AccessError, call)

    def test_the_surface_has_seven_methods(self):
        public = {
            name
            for cls in type(self.env["chatbridge.bridge"]).__mro__
            if "chatbridge" in cls.__module__ and not issubclass(models.AbstractModel, cls)
            for name, value in vars(cls).items()
            if callable(value) and not name.startswith("_")
        }
        self.assertEqual(public, SURFACE)
        self.assertEqual({name for name in vars(ChatbridgeBridge) if not name.startswith("_")}, SURFACE)

    def test_the_bridge_reads_no_table_by_itself(self):
        for name in SEEN + HIDDEN:
            with self.assertRaises(AccessError, msg=name):
                self.env[name].with_user(self.bridge_user).search_count([])
        self.assertTrue(self.bridge_user.share)
        self.assertFalse(self.bridge_user.has_group("base.group_user"))

    def test_administrator_includes_the_others_and_admin_is_one(self):
        admin = self.env.ref("base.user_admin")
        for group in ("user", "operator", "administrator"):
            self.assertTrue(admin.has_group("chatbridge.group_%s" % group))
        self.assertFalse(admin.has_group("chatbridge.group_bridge"))

    def test_other_companies_see_nothing(self):
        company = self.env["res.company"].create({"name": "Other company"})
        user = self.add(self.user("user"))
        user.write({"company_ids": [(6, 0, company.ids)], "company_id": company.id})
        mine = [
            self.bot,
            self.channel,
            self.step,
            self.conversation(),
            self.conversation().sender_id,
            self.conversation().message_ids,
            self.desk.operator_ids,
            self.consultation(2),
        ]
        for record in mine:
            found = (
                self.env[record._name]
                .with_user(user)
                .with_context(allowed_company_ids=company.ids)
                .search([("id", "in", record.ids)])
            )
            self.assertFalse(found, record._name)
        (self.bot | self.desk).write({"company_id": False})
        for record in mine:
            self.assertTrue(self.env[record._name].with_user(user).search([("id", "in", record.ids)]), record._name)

    def test_active_conversations_cannot_be_deleted(self):
        conversation = self.conversation().with_user(self.user("administrator"))
        with self.assertRaisesRegex(UserError, "ends by itself"):
            conversation.unlink()
        self.apply(self.operation("conversation.close", conversation="conversation-1", reason="silence"))
        conversation.unlink()
        self.assertFalse(self.conversation())
        self.assertEqual(self.apply(self.message(2))[0]["missing"], "conversation")

    def test_operators_come_and_go_without_rights_on_bots(self):  # OP-1
        user = self.user("operator")
        desk = self.desk.with_user(user)
        for work in (
            lambda: desk.write({"most_parallel_chats": 3}),
            lambda: desk.write({"operator_ids": [(0, 0, {"user_id": user.id})]}),
            lambda: self.env["chatbridge.operator"].with_user(user).create({"bot_id": desk.id, "user_id": user.id}),
            lambda: self.desk.operator_ids.with_user(user).unlink(),
            lambda: self.desk.operator_ids.with_user(user).write({"user_id": user.id}),
        ):
            with self.assertRaises(AccessError):
                work()
        desk.action_join()
        self.conversation().with_user(user).action_live_chat()
        leave = self.env["chatbridge.leave"].with_user(user).browse(desk.action_leave()["res_id"])
        self.assertTrue(leave.read(["open_count", "available_count"]))
        leave.action_put_back()
        self.assertFalse(desk.joined)

    def test_users_and_internal_ones_do_nothing_with_consultations(self):
        for level in ("internal", "user"):
            user = self.user(level)
            for work in (
                lambda user=user: self.desk.with_user(user).action_join(),
                lambda user=user: self.env["chatbridge.leave"].with_user(user).create({"bot_id": self.desk.id}),
                lambda user=user: self.conversation().sender_id.membership_ids.with_user(user).action_approve(),
            ):
                with self.assertRaises(AccessError), mute_logger("odoo.addons.base.models.ir_model"):
                    work()
            with self.assertRaises(UserError), mute_logger("odoo.addons.base.models.ir_model"):
                self.conversation().with_user(user).action_live_chat()

    def test_nobody_writes_consultations(self):
        for level in ("operator", "administrator"):
            consultation = self.consultation(2).with_user(self.user(level))
            with self.assertRaises(AccessError):
                consultation.write({"state": "queued"})
            with self.assertRaises(AccessError):
                consultation.unlink()

    def test_confirm_is_for_administrators(self):
        status = self.env.ref("chatbridge.bridge_status")
        with self.assertRaises(AccessError):
            status.with_user(self.user("operator")).action_confirm()

    def test_series_facts(self):
        self.assertIn(compat.GROUPS_FIELD, self.env["res.users"]._fields)
        self.assertIn(compat.CANNED_RESPONSE_MODEL, self.env)
