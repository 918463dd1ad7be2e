from unittest.mock import patch

import psycopg2

from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from .. import compat
from ..exceptions import TryAgain
from .common import ConsultationCase


@tagged("post_install", "-at_install")
class TestOperator(ConsultationCase):
    """Joining, leaving, and what becomes of the customers."""

    def test_join_and_leave_with_one_click(self):  # OP-1, B-1
        julia = self.person("julia")
        desk = self.desk.with_user(julia)
        self.assertFalse(desk.joined)
        desk.action_join()
        desk.action_join()
        self.assertTrue(desk.joined)
        self.assertEqual(self.desk.operator_ids.user_id, julia)
        self.assertFalse(self.desk.with_user(self.person("petro")).joined)
        desk.action_leave()
        self.assertFalse(desk.joined)
        self.assertFalse(self.desk.operator_ids)

    def test_who_may_not_join(self):  # OP-1
        with self.assertRaises(AccessError):
            self.desk.with_user(self.user("user")).action_join()
        with self.assertRaises(AccessError), mute_logger("odoo.addons.base.models.ir_model"):
            self.desk.with_user(self.user("internal")).action_join()
        with self.assertRaisesRegex(UserError, "client chat"):
            self.bot.with_user(self.person("julia")).action_join()
        company = self.env["res.company"].create({"name": "Other company"})
        stranger = self.person("stranger", company_id=company.id, company_ids=[(6, 0, company.ids)])
        with self.assertRaises(AccessError), mute_logger("odoo.addons.base.models.ir_rule"):
            self.desk.with_user(stranger).action_join()

    def test_every_internal_user_may_unless_the_right_is_taken_away(self):  # OP-1
        self.assertTrue(self.env.ref("base.user_admin").has_group("chatbridge.group_operator"))
        user = self.env["res.users"].with_context(no_reset_password=True).create({"name": "New", "login": "new"})
        self.desk.with_user(user).action_join()
        self.assertEqual(self.desk.operator_ids.user_id, user)
        self.desk.with_user(user).action_leave()
        operator = self.env.ref("chatbridge.group_operator")
        user.write({compat.GROUPS_FIELD: [(3, operator.id)]})
        with self.assertRaises(AccessError):
            self.desk.with_user(user).action_join()

    def test_administrators_add_and_remove(self):  # OP-16
        petro = self.person("petro")
        self.come(petro)
        self.ask_for_operator(1, wait=True)
        self.assertEqual(self.states(1), ["queued"])
        desk = self.desk.with_user(self.user("administrator"))
        desk.write({"operator_ids": [(0, 0, {"user_id": petro.id})]})
        self.assertTrue(self.desk.with_user(petro).joined)
        self.assertEqual((self.states(1), self.slots()), (["assigned"], {"petro": 1}))
        self.events()
        desk.operator_ids.unlink()
        self.assertEqual(self.states(1), ["queued"])
        self.assertEqual(self.events("place"), [("consultation.queued", {"place": 1})])

    def test_no_operator_twice(self):
        julia = self.operator("julia")
        with self.assertRaises(psycopg2.IntegrityError), mute_logger("odoo.sql_db"), self.env.cr.savepoint():
            self.env["chatbridge.operator"].create({"bot_id": self.desk.id, "user_id": julia.id})

    def leaving(self, user):
        """Return the question that a user with open chats is asked."""
        action = self.desk.with_user(user).action_leave()
        self.assertEqual((action["res_model"], action["target"]), ("chatbridge.leave", "new"))
        return self.env[action["res_model"]].with_user(user).browse(action["res_id"])

    def test_leaving_with_open_chats_asks(self):  # OP-1
        julia = self.operator("julia")
        self.ask_for_operator(1, 2)
        leave = self.leaving(julia)
        self.assertEqual((leave.open_count, leave.available_count), (2, 0))
        petro = self.operator("petro")
        leave = self.leaving(julia)
        self.assertEqual((leave.open_count, leave.available_count), (2, 1))
        # Who stays just closes the question.
        self.assertEqual(self.slots(), {"julia": 2, "petro": 0})
        self.events()
        leave.action_hand_over()
        self.assertEqual(self.slots(), {"petro": 2})
        self.assertEqual(self.consultation(1).user_id, petro)
        told = {"operator": "Petro", "started": False}
        self.assertEqual(self.events("operator", "started"), [("consultation.assigned", told)] * 2)
        self.assertEqual(self.discussed("hand_over"), [("consultation-1", julia), ("consultation-2", julia)])

    def test_handing_over_keeps_the_limit(self):  # OP-1, B-SET-3
        self.desk.most_parallel_chats = 2
        julia, petro = self.operator("julia"), self.operator("petro")
        self.ask_for_operator(1, 2, 3, 4, 5)
        self.assertEqual(self.slots(), {"julia": 2, "petro": 2})
        self.leaving(julia).action_hand_over()
        self.assertEqual(self.slots(), {"petro": 2})
        # What goes back keeps its place before those who came later.
        self.assertEqual(self.states(1, 2, 3, 4, 5), ["queued", "assigned", "queued", "assigned", "queued"])
        self.events()
        self.consultation(2)._end("operator")
        self.consultation(4)._end("operator")
        self.assertEqual(self.states(1, 3, 5), ["assigned", "assigned", "queued"])
        self.assertEqual(self.discussed("hand_over"), [("consultation-1", julia), ("consultation-3", julia)])
        self.assertEqual(self.consultation(1).user_id, petro)

    def test_putting_back(self):  # OP-1
        julia = self.operator("julia")
        self.ask_for_operator(1)
        self.events()
        self.leaving(julia).action_put_back()
        self.assertEqual((self.states(1), self.slots()), (["queued"], {}))
        self.assertEqual(self.events("place"), [("consultation.queued", {"place": 1})])
        self.operator("petro")
        self.assertEqual((self.states(1), self.slots()), (["assigned"], {"petro": 1}))
        self.assertEqual(self.discussed("hand_over"), [("consultation-1", julia)])
        self.assertEqual(len(self.discussed("open")), 1)

    def test_nobody_leaves_in_anothers_name(self):
        julia, petro = self.operator("julia"), self.operator("petro")
        self.ask_for_operator(1)
        leave = self.leaving(julia)
        # Whoever presses the button leaves, whosever question it was.
        leave.with_user(petro).action_put_back()
        self.assertEqual(self.slots(), {"julia": 1})

    def test_archived_and_deleted_users_leave_nobody_behind(self):
        julia, petro = self.operator("julia"), self.operator("petro")
        self.ask_for_operator(1, 2)
        julia.active = False
        self.assertEqual(self.slots(), {"julia": 0, "petro": 2})
        petro.unlink()
        self.assertEqual(self.states(1, 2), ["queued", "queued"])

    def test_an_operator_row_that_becomes_anothers(self):
        self.operator("julia")
        petro = self.person("petro")
        self.come(petro)
        self.ask_for_operator(1)
        self.desk.operator_ids.write({"user_id": petro.id})
        self.assertEqual((self.consultation(1).user_id, self.slots()), (petro, {"petro": 1}))

    def test_figures_are_not_for_forms(self):
        petro = self.person("petro")
        row = self.env["chatbridge.operator"].create({"bot_id": self.desk.id, "user_id": petro.id, "open_count": 7})
        self.assertEqual(row.open_count, 0)

    # Live chat

    def membership(self, user="1"):
        return self.env["chatbridge.membership"].search(
            [("sender_id.user_ref", "=", user), ("channel_id", "=", self.channel.id)]
        )

    def test_live_chat_in_the_open_conversation(self):  # B-6
        julia = self.operator("julia")
        self.desk.most_parallel_chats = 1
        self.ask_for_operator(1)
        self.apply(self.sender("2"), self.opening("conversation-2", "2"))
        self.events()
        conversation = self.conversation("conversation-2")
        conversation.with_user(julia).action_live_chat()
        consultation = conversation.consultation_ids
        self.assertEqual((consultation.state, consultation.user_id, consultation.joined), ("assigned", julia, False))
        # The limit does not bind whom the operator writes to, but the chat counts.
        self.assertEqual(self.slots(), {"julia": 2})
        told = {"conversation": "conversation-2", "chat": "2", "operator": "Julia", "started": True}
        self.assertEqual(self.events(*told), [("consultation.assigned", told)])
        # Again: the same one.
        conversation.sender_id.with_user(julia).action_live_chat()
        self.assertEqual((len(conversation.consultation_ids), self.slots()), (1, {"julia": 2}))
        petro = self.operator("petro")
        with self.assertRaisesRegex(UserError, "Julia"):
            conversation.with_user(petro).action_live_chat()
        self.apply(
            self.operation(
                "consultation.joined", conversation="conversation-2", consultation=consultation.key
            )
        )
        self.assertTrue(consultation.joined)

    def live_chat(self, user):
        """Have a user begin a consultation with customer 1, whose conversation has ended; return it."""
        self.apply(
            self.sender("1"),
            self.opening("conversation-1", "1"),
            self.operation("conversation.close", conversation="conversation-1", reason="silence"),
        )
        self.membership().with_user(user).action_live_chat()
        return self.membership().sender_id.conversation_ids.consultation_ids

    def test_live_chat_in_a_conversation_of_its_own(self):  # B-5, B-6
        consultation = self.live_chat(self.operator("julia"))
        conversation = consultation.conversation_id
        self.assertEqual((conversation.state, conversation.chat_ref, len(conversation.key)), ("active", "1", 26))
        self.assertEqual(self.events("conversation"), [("consultation.assigned", {"conversation": conversation.key})])

    def test_the_bridges_conversation_wins(self):
        consultation = self.live_chat(self.operator("julia"))
        made = consultation.conversation_id
        self.apply(self.opening("conversation-2", "1"), self.message(1, "conversation-2"))
        self.assertEqual((made.state, consultation.state), ("ended", "assigned"))
        self.assertEqual(consultation.conversation_id.key, "conversation-2")
        # It has not been joined yet, so a close leaves it alone, and the next conversation gets it.
        self.apply(self.operation("conversation.close", conversation="conversation-2", reason="silence"))
        self.assertEqual(consultation.state, "assigned")
        self.apply(self.opening("conversation-3", "1"))
        self.assertEqual(consultation.conversation_id.key, "conversation-3")
        self.apply(
            self.opening("conversation-4", "1", chat="other"),
            self.operation("consultation.joined", conversation="conversation-4", consultation=consultation.key),
        )
        self.assertEqual((consultation.conversation_id.key, consultation.posted_sequence), ("conversation-4", 0))
        self.apply(self.opening("conversation-5", "1", chat="other"))
        self.assertEqual((consultation.state, consultation.ended_reason), ("ended", "restart"))

    def test_a_conversation_with_a_running_consultation_is_not_deleted(self):
        consultation = self.live_chat(self.operator("julia"))
        self.apply(
            self.operation("conversation.close", conversation=consultation.conversation_id.key, reason="silence")
        )
        with self.assertRaises(UserError):
            consultation.conversation_id.with_user(self.user("administrator")).unlink()

    def test_who_has_not_joined_is_told_to(self):  # B-6
        self.apply(self.sender("1"), self.opening("conversation-1", "1"))
        with self.assertRaisesRegex(UserError, "join the operator chat “Operator Chat”"):
            self.conversation().with_user(self.user("administrator")).action_live_chat()

    def test_no_live_chat_where_nothing_can_be_sent(self):  # B-6, B-9
        julia = self.operator("julia")
        self.ask_for_operator(1)
        self.consultation(1)._end("operator")
        self.channel.active = False
        with self.assertRaisesRegex(UserError, "switched off"):
            self.conversation().with_user(julia).action_live_chat()

    def test_no_live_chat_with_who_has_blocked_the_bot(self):
        julia = self.operator("julia")
        self.apply(self.sender("1"), self.operation("membership", channel=self.channel.id, user="1", blocked=True))
        with self.assertRaisesRegex(UserError, "blocked"):
            self.membership().with_user(julia).action_live_chat()

    def test_live_chat_with_somebody_who_waits(self):
        self.desk.most_parallel_chats = 1
        julia = self.operator("julia")
        self.ask_for_operator(1, 2)
        self.conversation("conversation-2").with_user(julia).action_live_chat()
        self.assertEqual((self.states(2), self.slots()), (["assigned"], {"julia": 2}))

    def test_the_operator_chat_of_the_bots_steps(self):
        other = self.env["chatbridge.bot"].create({"name": "Second desk", "kind": "operator"})
        self.step_to_operator.operator_bot_id = other
        # Operators don't see what is of chats that they have not joined.
        julia = self.user("administrator")
        self.desk.with_user(julia).action_join()
        self.apply(self.sender("1"), self.opening("conversation-1", "1"))
        with self.assertRaisesRegex(UserError, "Second desk"):
            self.conversation().with_user(julia).action_live_chat()
        other.with_user(julia).action_join()
        self.conversation().with_user(julia).action_live_chat()
        self.assertEqual(self.conversation().consultation_ids.bot_id, other)

    def test_a_live_chat_that_is_crossed_is_tried_again(self):
        julia = self.operator("julia")
        self.ask_for_operator(1)
        nothing = self.env["chatbridge.consultation"]
        model = type(nothing)
        with patch.object(model, "search", lambda *_args, **_kwargs: nothing), self.assertRaises(TryAgain):
            self.conversation().with_user(julia).action_live_chat()

    # Approval

    def at_the_desk(self):
        """Return the membership of somebody who wrote to the operator chat's own Telegram bot."""
        self.channel = self.env["chatbridge.channel"].create(
            {"name": "Desk", "bot_id": self.desk.id, "token": "77:abc"}
        )
        self.apply(self.sender("9", username=None), self.opening("conversation-9", "9"))
        return self.membership("9")

    def test_approve_and_reject(self):  # B-5, B-SET-9, B-SET-10
        membership = self.at_the_desk()
        self.assertEqual(membership.approval, "pending")
        with self.assertRaises(AccessError):
            membership.with_user(self.person("julia")).action_approve()
        membership = membership.with_user(self.user("administrator"))
        membership.action_approve()
        self.assertEqual(membership.approval, "approved")
        self.assertEqual(self.desk.operator_ids.sender_id, membership.sender_id)
        (kind, payload), = self.events("text", "conversation", "chat")
        self.assertEqual((kind, payload["conversation"], payload["chat"]), ("say", "conversation-9", "9"))
        self.assertEqual(payload["text"]["en_US"], "You Approved")
        # Writing again changes nothing.
        self.apply(self.sender("9", username=None))
        self.assertEqual(membership.approval, "approved")
        self.desk.rejected_message = False
        membership.action_reject()
        self.assertEqual((membership.approval, self.events()), ("rejected", []))
        self.assertFalse(self.desk.operator_ids)

    def test_operators_of_messengers_get_no_chats_yet(self):
        self.at_the_desk().with_user(self.user("administrator")).action_approve()
        self.channel = self.bot.channel_ids
        self.ask_for_operator(1)
        self.assertEqual(self.states(1), ["refused"])

    def test_odoo_operators_only(self):  # B-SET-2
        self.desk.odoo_operators_only = True
        self.at_the_desk().with_user(self.user("administrator")).action_approve()
        self.assertFalse(self.desk.operator_ids)

    def test_a_clients_membership_is_not_approved(self):
        self.apply(self.sender("1"))
        self.assertFalse(self.membership().approval)
        with self.assertRaises(UserError):
            self.membership().with_user(self.user("administrator")).action_approve()
