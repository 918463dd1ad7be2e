from odoo.exceptions import AccessError
from odoo.tests import tagged

from .. import compat
from .discuss import DiscussCase, plain


@tagged("post_install", "-at_install")
class TestDiscuss(DiscussCase):
    """A consultation from its operator's side, as an operator who has our group and no other."""

    def test_chat_is_made_with_the_conversation_so_far(self):
        # OP-6: named by prefix and name, with what was said before in one message, both sides and their times.
        consultation = self.consultation()
        self.line(consultation, "<p>Where is my <b>order</b>?</p>", at="2026-11-22 10:01:00")
        self.line(consultation, "<p>I shall ask.</p>", author="bot", at="2026-11-22 10:02:00")
        self.julia.write({"tz": "Asia/Tokyo"})
        consultation._discuss_open()
        channel = consultation.discuss_channel_id
        self.assertEqual(channel.name, "Telegram:Anna Koval")
        self.assertEqual(channel.channel_type, "livechat")
        self.assertEqual(channel.channel_partner_ids, self.julia.partner_id | self.customer.partner_id)
        self.assertEqual(channel.livechat_operator_id, self.julia.partner_id)
        self.assertEqual(consultation.posted_sequence, 2)
        (message,) = self.messages(channel)
        self.assertIn("<b>order</b>", message.body)
        self.assertRegex(
            plain(message.body),
            r"^The conversation so far Anna Koval 7:01\W*PM Where is my order\? Client Chat 7:02\W*PM I shall ask\.$",
        )
        self.assertTrue(self.pinned(channel, self.julia))

    def test_names_follow_the_prefix(self):
        # OP-6: the prefix is a setting.
        self.env["ir.config_parameter"].set_param("chatbridge.name_prefix", "TG ")
        self.assertEqual(self.opened().discuss_channel_id.name, "TG Anna Koval")

    def test_so_far_is_in_the_operators_language(self):
        if not self.env["res.lang"].search([("code", "=", "uk_UA")]):
            self.skipTest("Ukrainian is not installed in this database")
        self.julia.lang = "uk_UA"
        self.assertTrue(self.texts(self.opened().discuss_channel_id)[0].startswith("Розмова до цього"))

    def test_each_bot_has_its_own_heading(self):
        one, two = self.opened(), self.opened(customer=self.make_sender("Petro"))
        heading = one.discuss_channel_id.livechat_channel_id
        self.assertEqual(heading, two.discuss_channel_id.livechat_channel_id)
        self.assertEqual(heading.name, self.desk.name)
        self.assertFalse(heading.user_ids)
        self.desk.name = "Support"
        self.opened(customer=self.make_sender("Olena"))
        self.assertEqual(heading.name, "Support")

    def test_an_empty_conversation_says_so(self):
        consultation = self.consultation()
        consultation._discuss_open()
        self.assertEqual(
            self.texts(consultation.discuss_channel_id), ["The conversation so far Nothing has been said yet."]
        )

    def test_the_first_message_is_unread(self):
        # OP-6: unread counters as for any chat.
        channel = self.opened().discuss_channel_id
        self.assertEqual(self.unread(channel), 1)

    def unread(self, channel):
        """Return the number at the channel for Julia."""
        if compat.SERIES >= 16:
            return self.membership(channel, self.julia).message_unread_counter
        return channel.with_user(self.julia).message_unread_counter

    def test_customers_lines_follow_in_order_and_once(self):
        consultation = self.opened()
        channel = consultation.discuss_channel_id
        self.line(consultation, "<p>One</p>")
        self.line(consultation, "<p>Two<br>and a half</p>")
        self.line(consultation, "<p>Julia joined the chat</p>", author="bot")
        consultation._discuss_relay()
        consultation._discuss_relay()
        self.line(consultation, "<p>Three</p>")
        # Whoever frees a slot may be an operator: the lines are unread for them all the same.
        consultation.with_user(self.julia).sudo()._discuss_relay()
        self.assertEqual(self.texts(channel)[1:], ["One", "Two and a half", "Three"])
        self.assertEqual(self.messages(channel)[1:].mapped("author_id"), self.customer.partner_id)
        self.assertEqual(self.unread(channel), 4)
        self.assertFalse(self.said)

    def test_what_the_operator_writes_is_said_once(self):
        # OP-11
        channel = self.opened().discuss_channel_id
        message = self.write_as(self.julia, channel, "<p>Good <b>day</b></p>")
        self.assertEqual([said.id for said in self.said], [message.id])
        self.assertIn("Good <b>day</b>", self.said[0].body)
        self.assertEqual(self.said[0].author_id, self.julia.partner_id)

    def test_notes_and_notices_are_not_said(self):
        channel = self.opened().discuss_channel_id
        self.write_as(self.julia, channel, "<p>joined</p>", message_type="notification")
        self.write_as(self.julia, channel, "<p>For us alone</p>", subtype_xmlid="mail.mt_note")
        root = self.env.ref("base.partner_root")
        channel.sudo().message_post(body="Beep", message_type="comment", author_id=root.id)
        self.assertFalse(self.said)

    def test_ordinary_channels_are_left_alone(self):
        channel = self.env[compat.DISCUSS_CHANNEL_MODEL].with_user(self.julia).create({"name": "general"})
        message = self.write_as(self.julia, channel, "/end")
        self.assertEqual(plain(message.body), "/end")
        self.assertFalse(self.said + self.ended)

    def test_without_a_contact(self):
        # B-4: shown by the messenger's name, no contact made.
        contacts = self.env["res.partner"].search_count([])
        consultation = self.opened(customer=self.make_sender("Stranger", contact=False))
        channel = consultation.discuss_channel_id
        self.line(consultation, "It is me")
        consultation._discuss_relay()
        message = self.messages(channel)[-1]
        self.assertFalse(message.author_id)
        if compat.HAS_GUESTS:
            self.assertEqual(message.author_guest_id.name, "Telegram:Stranger")
        else:
            self.assertEqual(message.email_from, "Telegram:Stranger")
            visitor = channel.with_user(self.julia).channel_info()[0]["livechat_visitor"]
            self.assertEqual(visitor["name"], "Telegram:Stranger")
        self.assertEqual(self.env["res.partner"].search_count([]), contacts)
        self.write_as(self.julia, channel, "Hello")
        self.assertEqual(len(self.said), 1)

    def test_customer_gets_no_mail(self):
        # T5: neither as a member nor when they are named.
        consultation = self.opened()
        channel, customer = consultation.discuss_channel_id, self.customer.partner_id
        self.line(consultation, "Hello?")
        consultation._discuss_relay()
        self.write_as(self.julia, channel, "@Anna, yes", partner_ids=customer.ids)
        self.end(consultation, "customer")
        self.assertFalse(self.env["mail.notification"].search([("res_partner_id", "=", customer.id)]))
        self.assertFalse(self.env["mail.mail"].search([("mail_message_id", "in", self.messages(channel).ids)]))
        self.assertNotIn(customer, channel.message_follower_ids.mapped("partner_id"))

    def test_what_was_not_delivered_is_said(self):
        # OP-9 (the line in the chat)
        consultation = self.opened()
        channel = consultation.discuss_channel_id
        message = self.write_as(self.julia, channel, "<p>Your <b>order</b> is ready</p>" + "x" * 100)
        self.said.clear()
        deliver = self.env["chatbridge.consultation"]._discuss_delivery
        deliver(message.ids, "sent")
        deliver(message.ids, "failed", "The customer has blocked the bot.")
        deliver([0], "failed", "No such message")
        self.assertEqual(len(self.texts(channel)), 3)
        self.assertRegex(
            self.texts(channel)[-1], "Not delivered: “Your .*order.* is ready x*…”.* The customer has blocked"
        )
        self.assertEqual(self.unread(channel), 1)
        self.assertFalse(self.said)

    def test_files_stay_and_that_is_said(self):
        channel = self.opened().discuss_channel_id
        lines = []
        for body, reason in (("<p>Look</p>", "Files can't be sent yet; the words were."), ("", "Files can't be sent yet.")):
            file = self.env["ir.attachment"].with_user(self.julia).create(
                {"name": "price.pdf", "raw": b"1", "res_model": "mail.compose.message", "res_id": 0}
            )
            message = self.write_as(self.julia, channel, body, attachment_ids=file.ids)
            self.assertEqual(message.attachment_ids, file)
            lines.append(self.texts(channel)[-1])
            self.assertRegex(lines[-1], "^\\W*Not delivered: “price.pdf”\\W* %s$" % reason)
        self.assertEqual([plain(said.body) for said in self.said], ["Look"])
        self.write_as(self.julia, channel, "<p>For us</p>", subtype_xmlid="mail.mt_note", attachment_ids=file.copy().ids)
        self.assertEqual(self.texts(channel)[-1], "For us")

    def test_delivery_of_other_messages_is_none_of_ours(self):
        channel = self.env[compat.DISCUSS_CHANNEL_MODEL].with_user(self.julia).create({"name": "general"})
        message = self.write_as(self.julia, channel, "Hello")
        self.env["chatbridge.consultation"]._discuss_delivery(message.ids, "failed", "Why")
        self.assertEqual(self.messages(channel)[-1], message)

    def test_odoos_history_is_not_polluted(self):
        # T1, T2
        if compat.SERIES < 19:
            self.skipTest("history came with 19.0")
        channel = self.opened().discuss_channel_id
        self.assertEqual(channel.livechat_agent_partner_ids, self.julia.partner_id)
        self.assertEqual(channel.livechat_customer_partner_ids, self.customer.partner_id)
        self.assertEqual(channel.livechat_outcome, "no_answer")
        self.write_as(self.julia, channel, "Hello")
        self.assertEqual(channel.livechat_outcome, "no_failure")
        self.assertEqual(channel.livechat_status, "in_progress")

    def test_no_rating_is_made(self):
        consultation = self.opened()
        self.end(consultation, "customer")
        channel = consultation.discuss_channel_id
        self.assertFalse(channel.rating_ids)

    def test_action_opens_the_channel(self):
        consultation = self.opened()
        channel = consultation.discuss_channel_id
        self.end(consultation, "operator")
        action = consultation.with_user(self.julia)._discuss_action()
        self.assertEqual(action["type"], "ir.actions.client")
        self.assertEqual(action["context"]["active_id"], "%s_%d" % (channel._name, channel.id))
        self.assertTrue(self.pinned(channel, self.julia))
        with self.assertRaises(AccessError):
            consultation.with_user(self.user("user"))._discuss_action()

    def test_action_opens_it_for_an_administrator(self):
        # Who is no member is made one where Discuss shows members alone.
        consultation = self.opened()
        channel, user = consultation.discuss_channel_id, self.user("administrator")
        self.assertTrue(consultation.with_user(user)._discuss_action())
        self.assertEqual(bool(self.membership(channel, user)), not compat.OPENS_FOR_READERS)
        self.assertTrue(channel.with_user(user).read(["name"]))
