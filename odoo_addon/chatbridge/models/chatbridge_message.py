from odoo import _, fields, models, tools

from .. import compat
from .chatbridge_conversation import bubble


class ChatbridgeMessage(models.Model):
    """One line of a conversation's transcript. There are many: no computed stored fields here, and no tracking."""

    _name = "chatbridge.message"
    _description = "Message of a conversation"
    _order = "conversation_id desc, sequence"
    _rec_name = "sequence"

    conversation_id = fields.Many2one(
        "chatbridge.conversation", "Conversation", required=True, readonly=True, ondelete="cascade"
    )
    sequence = fields.Integer("Number", required=True, readonly=True, help="1, 2, … in each conversation.")
    author = fields.Selection(
        [("customer", "Customer"), ("bot", "The bot"), ("operator", "Operator")], required=True, readonly=True
    )
    kind = fields.Selection(
        [("text", "Text"), ("command", "Command"), ("button", "Button"), ("media", "Media"), ("other", "Other")],
        required=True,
        readonly=True,
    )
    body = fields.Html("Message", readonly=True)
    step_id = fields.Many2one("chatbridge.step", "Step", readonly=True, ondelete="set null")
    telegram_message = fields.Char("Number in Telegram", readonly=True)
    state = fields.Selection([("sent", "Sent"), ("failed", "Failed")], default="sent", required=True, readonly=True)
    failure_reason = fields.Char("Why it failed", readonly=True)
    consultation_id = fields.Many2one("chatbridge.consultation", "Consultation", readonly=True, ondelete="set null")
    discuss_message_id = fields.Many2one(
        "mail.message", "Message in Discuss", readonly=True, index=True, ondelete="set null"
    )
    at = fields.Datetime("Date", required=True, readonly=True)

    _sequence_unique = compat.constraint(
        "UNIQUE(conversation_id, sequence)", "The conversation has a message with this number already."
    )

    def _as_bubble(self):
        """Return the message as a line of a chat."""
        self.ensure_one()
        author = dict(self._fields["author"]._description_selection(self.env))[self.author]
        at = tools.format_datetime(self.env, self.at, tz=self.env.context.get("tz"), dt_format="medium")
        failure = _("Not delivered: %s") % (self.failure_reason or "") if self.state == "failed" else ""
        return bubble(self.author, "%s · %s" % (author, at), self.body, failure)
