from lxml import etree

from odoo import fields
from odoo.exceptions import AccessError
from odoo.tests import tagged

from .. import compat
from .common import BridgeCase


@tagged("post_install", "-at_install")
class TestConversation(BridgeCase):
    """What conversations and senders show of operators, and what each level may press."""

    def setUp(self):
        super().setUp()
        self.connect()
        self.apply(self.sender(), self.opening(), self.message(1))
        self.operator_bot = self.env.ref("chatbridge.bot_operator")
        self.operator_user = self.user("operator")
        self.operator = self.env["chatbridge.operator"].create(
            {"bot_id": self.operator_bot.id, "user_id": self.operator_user.id}
        )

    def consult(self, key="consultation-1", **vals):
        """Put the conversation into the operator's hands."""
        now = fields.Datetime.now()
        values = {
            "key": key,
            "conversation_id": self.conversation().id,
            "bot_id": self.operator_bot.id,
            "state": "assigned",
            "operator_id": self.operator.id,
            "user_id": self.operator_user.id,
            "requested_at": now,
            "assigned_at": now,
        }
        return self.env["chatbridge.consultation"].create(dict(values, **vals))

    def add_user(self):
        """Return a user of the lowest level who is one of the chat's operators."""
        user = self.user("user")
        self.env["chatbridge.operator"].create({"bot_id": self.operator_bot.id, "user_id": user.id})
        return user

    def buttons(self, model, level, view_type):
        """Return the names of the buttons that a view offers to a user of a level."""
        model = self.env[model].with_user(self.user(level))
        if hasattr(model, "get_view"):
            arch = model.get_view(view_type=view_type)["arch"]
        else:
            arch = model.fields_view_get(view_type="tree" if view_type == "list" else view_type)["arch"]
        # 14.0 and 15.0 keep what a group may not see, and hide it.
        nodes = etree.fromstring(arch).iter("button")
        return {node.get("name") for node in nodes if node.get("invisible") not in ("1", "True")}

    def test_the_operator_stands_beside_the_code(self):  # B-6
        self.env["chatbridge.step"].create(
            {"bot_id": self.bot.id, "kind": "operator", "operator_bot_id": self.operator_bot.id}
        )
        conversation = self.conversation().with_user(self.add_user())
        self.assertFalse(conversation.operator_name)
        self.consult(state="ended", operator_id=False, user_id=self.env.ref("base.user_admin").id)
        self.assertEqual(conversation.operator_name, self.env.ref("base.user_admin").name)
        self.assertEqual(conversation.consultation_state, "ended")
        latest = self.consult("consultation-2")
        self.assertEqual(conversation.operator_name, self.operator_user.name)
        self.assertEqual((conversation.consultation_id, conversation.consultation_state), (latest, "assigned"))

    def test_the_name_stays_when_the_operator_leaves(self):  # B-6, OP-16
        consultation = self.consult(state="ended")
        self.operator.unlink()
        self.assertFalse(consultation.operator_id)
        self.assertEqual(self.conversation().operator_name, self.operator_user.name)

    def test_an_operator_chat_shows_what_was_handed_over_to_it(self):  # B-2, B-6
        self.assertEqual(self.operator_bot.conversation_count, 0)
        self.consult()
        bot = self.operator_bot.with_user(self.add_user())
        compat.invalidate_all(self.env)
        self.assertEqual((bot.conversation_count, bot.consultation_count), (1, 1))
        self.assertEqual(bot.recent_conversation_ids, self.conversation())
        found = self.env["chatbridge.conversation"].search(bot.action_conversations()["domain"])
        self.assertEqual(found, self.conversation())

    def test_who_may_press_what(self):  # B-5, B-6
        everybody = {"action_discuss"}
        self.assertEqual(self.buttons("chatbridge.conversation", "user", "list"), everybody)
        operators = everybody | {"action_live_chat"}
        self.assertEqual(self.buttons("chatbridge.conversation", "operator", "list"), operators)
        administrators = operators | {"action_delete"}
        self.assertEqual(self.buttons("chatbridge.conversation", "administrator", "list"), administrators)
        operators = {"action_join", "action_leave"}
        administrators = {"action_join_channel", "action_add_channel", "action_add_step"}
        self.assertFalse(self.buttons("chatbridge.bot", "user", "form") & (operators | administrators))
        shown = self.buttons("chatbridge.bot", "operator", "form")
        self.assertEqual(shown & (operators | administrators), operators)
        self.assertLessEqual(operators | administrators, self.buttons("chatbridge.bot", "administrator", "form"))

    def test_only_administrators_delete_from_a_line(self):  # B-6
        self.apply(self.operation("conversation.close", conversation="conversation-1", reason="silence"))
        with self.assertRaises(AccessError):
            self.conversation().with_user(self.operator_user).action_delete()
        action = self.conversation().with_user(self.user("administrator")).action_delete()
        self.assertTrue(self.conversation())
        question = self.env[action["res_model"]].browse(action["res_id"])
        question.with_user(self.user("administrator")).action_delete()
        self.assertFalse(self.conversation())

    def test_members_stand_on_the_senders_tab(self):  # B-5
        self.env["chatbridge.step"].create(
            {"bot_id": self.bot.id, "kind": "operator", "operator_bot_id": self.operator_bot.id}
        )
        membership = self.bot.with_user(self.add_user()).recent_membership_ids
        self.assertEqual(membership.sender_id, self.conversation().sender_id)
        self.assertEqual(membership.messenger_id, self.telegram)

    def test_consultations_are_found_by_their_people(self):
        consultation = self.consult()
        search = self.env["chatbridge.operator"].name_search
        self.assertEqual([id_ for id_, _name in search(self.operator_user.name)], self.operator.ids)
        self.assertEqual(consultation.sender_id, self.conversation().sender_id)
