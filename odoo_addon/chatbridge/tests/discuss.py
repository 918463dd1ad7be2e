"""What the tests of Discuss share: a consultation in the hands of an operator, and what stands in its channel."""

import html
import re
from unittest.mock import patch

from odoo import fields
from odoo.tests import new_test_user

from .. import compat
from ..rpc import ulid
from .common import BridgeCase

NO_MAIL = {"no_reset_password": True}


class DiscussCase(BridgeCase):
    """An operator chat with one operator, and a customer of the client chat who wants to talk."""

    def setUp(self):
        super().setUp()
        self.desk = self.env.ref("chatbridge.bot_operator")
        self.julia = self.internal("julia", "chatbridge.group_operator", name="Julia")
        self.operator = self.join(self.julia)
        self.customer = self.make_sender("Anna Koval")
        self.said, self.ended = [], []
        self.stand_in("_operator_said", lambda consultation, message: self.said.append(message))
        self.stand_in("_end", lambda consultation, reason: self.end(consultation, reason))

    def stand_in(self, name, method):
        """Put something in the place of what the consultation does beside Discuss."""
        model = type(self.env["chatbridge.consultation"])
        patcher = patch.object(model, name, method, create=True)
        patcher.start()
        self.addCleanup(patcher.stop)

    def end(self, consultation, reason):
        """End a consultation as the assignment does."""
        self.ended.append(reason)
        consultation.write({"state": "ended", "ended_reason": reason, "ended_at": fields.Datetime.now()})
        consultation._discuss_close(reason)

    def internal(self, login, groups="base.group_user", **values):
        """Make a user with these groups and no other."""
        return new_test_user(self.env, login, groups, context=NO_MAIL, **values)

    def join(self, user):
        """Make somebody an operator of the chat."""
        return self.env["chatbridge.operator"].create({"bot_id": self.desk.id, "user_id": user.id})

    def make_sender(self, name, contact=True):
        """Make a customer, with a contact (and its e-mail address) or without."""
        partner = self.env["res.partner"]
        if contact:
            partner = partner.create({"name": "Telegram:" + name, "email": "anna@example.com"})
        return self.env["chatbridge.sender"].create(
            {
                "name": name,
                "user_ref": str(self.env["chatbridge.sender"].search_count([]) + 1),
                "messenger_id": self.telegram.id,
                "partner_id": partner.id,
                "person_id": partner.id,
            }
        )

    def consultation(self, customer=None, user=None):
        """Make a consultation that has just been assigned, with nothing said."""
        customer, user = customer or self.customer, user or self.julia
        conversation = self.env["chatbridge.conversation"].create(
            {
                "key": ulid.draw(),
                "channel_id": self.channel.id,
                "bot_id": self.bot.id,
                "sender_id": customer.id,
                "chat_ref": ulid.draw(),
            }
        )
        return self.env["chatbridge.consultation"].create(
            {
                "key": ulid.draw(),
                "conversation_id": conversation.id,
                "bot_id": self.desk.id,
                "operator_id": self.operator.id,
                "user_id": user.id,
                "state": "assigned",
                "requested_at": fields.Datetime.now(),
                "assigned_at": fields.Datetime.now(),
            }
        )

    def line(self, consultation, body, author="customer", **values):
        """Put a line behind the last one of the transcript."""
        conversation = consultation.conversation_id
        last = max(conversation.message_ids.mapped("sequence"), default=0)
        values = dict(
            {"conversation_id": conversation.id, "sequence": last + 1, "author": author, "kind": "text"}, **values
        )
        values.update(body=body, at=values.get("at", "2026-11-22 10:00:00"), consultation_id=consultation.id)
        return self.env["chatbridge.message"].create(values)

    def opened(self, *lines, **options):
        """Return a consultation that stands in Discuss, after these lines of the customer."""
        consultation = self.consultation(**options)
        for body in lines or ("<p>Hello</p>",):
            self.line(consultation, body)
        consultation._discuss_open()
        self.flush()
        return consultation

    def messages(self, channel):
        """Return what stands in a channel, oldest first."""
        domain = [("model", "=", channel._name), ("res_id", "=", channel.id)]
        return self.env["mail.message"].search(domain, order="id")

    def texts(self, channel):
        """Return the texts of a channel as people read them, oldest first."""
        return [plain(message.body) for message in self.messages(channel)]

    def write_as(self, user, channel, body, **values):
        """Post as the web client does for somebody."""
        values = dict({"message_type": "comment", "subtype_xmlid": "mail.mt_comment"}, **values)
        return channel.with_user(user).message_post(body=compat.html(body), **values)

    def membership(self, channel, user):
        """Return somebody's membership of a channel."""
        return self.env[compat.DISCUSS_MEMBER_MODEL].search(
            [("channel_id", "=", channel.id), ("partner_id", "=", user.partner_id.id)]
        )

    def pinned(self, channel, user):
        """Tell whether the channel stands in somebody's sidebar when Discuss is loaded."""
        compat.flush_all(self.env)
        compat.invalidate_all(self.env)
        if compat.SERIES >= 17:
            return channel in self.env[compat.DISCUSS_CHANNEL_MODEL].with_user(user)._get_channels_as_member()
        slots = self.env[compat.DISCUSS_CHANNEL_MODEL].with_user(user).channel_fetch_slot()
        return channel.id in [info["id"] for info in slots["channel_livechat"]]


def plain(body):
    """Return HTML as one line of text."""
    text = re.sub(r"</?(b|strong)>", "", str(body or ""))
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", text)).split())
