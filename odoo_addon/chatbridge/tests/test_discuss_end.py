from datetime import timedelta

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from .. import compat
from .common import TOKEN
from .discuss import DiscussCase


@tagged("post_install", "-at_install")
class TestDiscussEnd(DiscussCase):
    """How a consultation ends in Discuss, and what becomes of its chat, as an operator with our group alone."""

    def test_end_is_typed(self):
        # OP-11
        for typed in ("/end", "<p>/end</p>", "<p> /END <br></p>"):
            channel = self.opened(customer=self.make_sender("P")).discuss_channel_id
            answer = self.write_as(self.julia, channel, typed)
            self.assertEqual(self.ended.pop(), "operator")
            self.assertEqual(self.texts(channel)[1:], ["Julia has ended the consultation."])
            self.assertEqual(answer, self.messages(channel)[-1])
        self.assertFalse(self.said)

    def test_a_word_about_the_end_is_no_end(self):
        channel = self.opened().discuss_channel_id
        self.write_as(self.julia, channel, "Press /end, please")
        self.assertEqual(len(self.said), 1)
        self.assertFalse(self.ended)

    def test_customers_own_end_word_is_not_taken_for_the_operators(self):
        consultation = self.opened()
        self.line(consultation, "/end")
        consultation._discuss_relay()
        self.assertFalse(self.ended)

    def test_end_is_a_command(self):
        # OP-11: offered while typing on 14.0 and 19.0.
        channel = self.opened().discuss_channel_id.with_user(self.julia)
        if compat.SERIES == 14:
            self.assertIn("end", [command["name"] for command in channel.get_mention_commands()])
            channel.execute_command(command="end", body="/end")
        else:
            channel.execute_command_end(body="/end")
        self.assertEqual(self.ended, ["operator"])

    def test_the_command_is_a_word_in_other_live_chats(self):
        partner = self.julia.partner_id
        values = compat.livechat_values(partner, "Visitor", False)
        values[compat.DISCUSS_MEMBERS_FIELD] = compat.livechat_members(partner, self.customer.partner_id)
        channel = self.env[compat.DISCUSS_CHANNEL_MODEL].create(values)
        self.julia.email = "julia@example.com"
        if compat.SERIES == 14:
            channel.with_user(self.julia).execute_command(command="end", body="/end")
        else:
            channel.with_user(self.julia).execute_command_end(body="/end")
        self.assertEqual(self.texts(channel), ["/end"])
        self.assertEqual(self.messages(channel).author_id, partner)
        self.assertFalse(self.ended)

    def test_end_is_pressed(self):
        consultation = self.opened()
        with self.assertRaises(AccessError):
            consultation.with_user(self.user("user")).action_end()
        consultation.with_user(self.julia).action_end()
        self.assertEqual(self.ended, ["operator"])

    def test_operator_is_told_who_ended(self):
        # OP-11, B-SET-19: always told.
        for reason, text in (
            ("customer", "Anna Koval has ended the consultation."),
            ("restart", "Anna Koval has begun anew: the consultation is over."),
            ("blocked", "Anna Koval has blocked the bot: the consultation is over."),
        ):
            consultation = self.opened()
            channel = consultation.discuss_channel_id
            self.end(consultation, reason)
            self.assertEqual(self.texts(channel)[1:], [text])
            over = channel.livechat_end_dt if compat.SERIES >= 19 else not channel.livechat_active
            self.assertTrue(over)

    def test_nobody_writes_after_the_end(self):
        consultation = self.opened()
        channel = consultation.discuss_channel_id
        self.end(consultation, "customer")
        if compat.POSTS_AT_ONCE:
            # The client has shown the words already and swallows errors: the channel itself says it.
            self.write_as(self.julia, channel, "Too late")
            self.assertRegex(self.texts(channel)[-1], "^\\W*Not delivered: “Too late”\\W* This consultation has ended.")
        else:
            with self.assertRaisesRegex(UserError, "has ended.*Live chat"):
                self.write_as(self.julia, channel, "Too late")
        self.assertFalse(self.said)

    def test_nobody_writes_while_the_chat_is_switched_off(self):
        consultation = self.opened()
        channel = consultation.discuss_channel_id
        for record, off, on in (
            (self.channel, {"active": False}, {"active": True}),
            (self.channel, {"token": False}, {"token": TOKEN}),
            (self.bot, {"active": False}, {"active": True}),
            (self.telegram, {"state": "off"}, {"state": "on"}),
        ):
            record.write(off)
            self.assert_refused(channel, "This chat is switched off: nothing can be sent.")
            record.write(on)
        self.write_as(self.julia, channel, "Back again")
        self.assertEqual(len(self.said), 1)
        self.channel.active = False
        self.write_as(self.julia, channel, "/end")
        self.assertEqual(self.ended, ["operator"])

    def assert_refused(self, channel, reason):
        """Julia's words reach nobody, and she is told why."""
        if compat.POSTS_AT_ONCE:
            self.write_as(self.julia, channel, "Hello?")
            self.assertIn(reason, self.texts(channel)[-1])
        else:
            with self.assertRaisesRegex(UserError, reason):
                self.write_as(self.julia, channel, "Hello?")
        self.assertFalse(self.said)

    def test_customers_line_that_crossed_the_end_is_shown(self):
        # Nobody's words are lost: docs/decisions/0004.
        consultation = self.opened()
        channel = consultation.discuss_channel_id
        self.write_as(self.julia, channel, "/end")
        self.assertFalse(self.pinned(channel, self.julia))
        self.line(consultation, "Wait!")
        consultation._discuss_relay()
        self.assertEqual(self.texts(channel)[-1], "Wait!")
        self.assertTrue(self.pinned(channel, self.julia))

    def test_sidebar_after_the_end(self):
        # What has been read is gone when Discuss is loaded next; what has not been read stays.
        read, unread = self.opened(), self.opened(customer=self.make_sender("Petro"))
        self.write_as(self.julia, read.discuss_channel_id, "Yes")
        for consultation in (read, unread):
            self.end(consultation, "customer")
        self.assertFalse(self.pinned(read.discuss_channel_id, self.julia))
        self.assertTrue(self.pinned(unread.discuss_channel_id, self.julia))

    def test_sidebar_after_a_colleagues_end(self):
        # Whoever did not end it themselves has not read it.
        oleh = self.internal("oleh", "chatbridge.group_operator", name="Oleh")
        self.join(oleh)
        for user, stays in ((oleh, True), (self.julia, False)):
            consultation = self.opened(customer=self.make_sender("Petro"))
            consultation.with_user(user).action_end()
            channel = consultation.discuss_channel_id
            self.assertEqual(self.texts(channel)[-1], "%s has ended the consultation." % user.name)
            self.assertEqual(self.pinned(channel, self.julia), stays)

    def test_closing_an_ended_chat_takes_it_away(self):
        consultation = self.opened()
        channel = consultation.discuss_channel_id
        self.end(consultation, "customer")
        self.close_window(channel)
        self.assertFalse(self.pinned(channel, self.julia))
        self.assertTrue(self.membership(channel, self.julia))

    def close_window(self, channel):
        """Close the chat window as the client does for Julia."""
        if compat.SERIES >= 19:
            channel.with_user(self.julia).action_unfollow()
        else:
            self.membership(channel, self.julia).write({"fold_state": "closed", "is_minimized": False})

    def test_closing_a_running_chat_ends_nothing(self):
        consultation = self.opened()
        channel = consultation.discuss_channel_id
        self.close_window(channel)
        channel.with_user(self.julia).action_unfollow()
        self.assertFalse(self.pinned(channel, self.julia))
        if compat.SERIES >= 19:
            self.assertFalse(channel.livechat_end_dt)
        self.line(consultation, "Are you there?")
        consultation._discuss_relay()
        self.assertTrue(self.pinned(channel, self.julia))
        self.assertEqual(len(self.texts(channel)), 2)

    def test_tidying_up_leaves_running_consultations(self):
        # T6: a talk in Telegram may be slow.
        running, over = self.opened(), self.opened(customer=self.make_sender("Petro"))
        members = self.env[compat.DISCUSS_MEMBER_MODEL]
        for consultation in (running, over):
            channel = consultation.discuss_channel_id
            self.write_as(self.julia, channel, "Yes")
            members |= self.membership(channel, self.julia)
        self.end(over, "customer")
        compat.flush_all(self.env)
        column = "last_seen_dt" if "last_seen_dt" in members._fields else "write_date"
        self.env.cr.execute(
            "UPDATE %s SET %s = now() - interval '3 days' WHERE id = ANY(%%s)" % (members._table, column),
            (members.ids,),
        )
        compat.invalidate_all(self.env)
        members._gc_unpin_livechat_sessions()
        self.assertTrue(self.pinned(running.discuss_channel_id, self.julia))
        self.assertFalse(self.pinned(over.discuss_channel_id, self.julia))
        if compat.SERIES >= 19:
            self.assertFalse(running.discuss_channel_id.livechat_end_dt)

    def test_old_memberships_go(self):
        running, read, unread = (self.opened(customer=self.make_sender(name)) for name in ("A", "B", "C"))
        self.end(read, "operator")
        self.end(unread, "customer")
        for days, left in ((0, running | read | unread), (2, running | unread), (8, running)):
            consultations = running | read | unread
            consultations.write({"ended_at": fields.Datetime.now() - timedelta(days=days)})
            self.flush()
            read._gc_discuss_members()
            compat.invalidate_all(self.env)
            kept = consultations.filtered(lambda c: self.membership(c.discuss_channel_id, self.julia))
            self.assertEqual(kept, left)
        self.assertTrue(read.discuss_channel_id.with_user(self.julia).read(["name"]))

    def test_hand_over(self):
        # OP-12
        oleh = self.internal("oleh", "chatbridge.group_operator", name="Oleh")
        operator = self.join(oleh)
        consultation = self.opened()
        channel = consultation.discuss_channel_id
        consultation.write({"user_id": oleh.id, "operator_id": operator.id})
        consultation._discuss_hand_over(self.julia)
        self.assertIn("Julia has handed the chat over to Oleh.", self.texts(channel))
        self.assertEqual(channel.livechat_operator_id, oleh.partner_id)
        self.assertFalse(self.membership(channel, self.julia))
        self.assertTrue(self.pinned(channel, oleh))
        if compat.SERIES >= 19:
            self.assertFalse(channel.livechat_end_dt)
        self.write_as(oleh, channel, "Hello again")
        self.assertEqual(len(self.said), 1)
