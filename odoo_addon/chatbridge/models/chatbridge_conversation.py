import re

from odoo import _, api, fields, models, tools
from odoo.exceptions import UserError

from .. import compat

#: How many of the latest messages the form shows; all of them are behind its button.
SHOWN_ON_FORM = 200

BUBBLE = "max-width:75%%;margin:4px 0;padding:6px 10px;border-radius:10px;%s"
SIDES = {
    "customer": BUBBLE % "background:#eef0f3;margin-right:auto",
    "bot": BUBBLE % "background:#dff0ff;margin-left:auto",
    "operator": BUBBLE % "background:#e6f4e1;margin-left:auto",
}


class ChatbridgeConversation(models.Model):
    """One run of talk between a sender and a bot, open until closed (LOG-1)."""

    _name = "chatbridge.conversation"
    _description = "Conversation"
    _order = "last_activity desc, id desc"
    _rec_name = "code"

    code = fields.Char(compute="_compute_code", search="_search_code", help="The conversation's number.")
    key = fields.Char("Key of the bridge", required=True, readonly=True, groups="base.group_system")
    channel_id = fields.Many2one(
        "chatbridge.channel", "Chat", required=True, readonly=True, index=True, ondelete="restrict"
    )
    bot_id = fields.Many2one("chatbridge.bot", "Bot", required=True, readonly=True, index=True, ondelete="restrict")
    sender_id = fields.Many2one(
        "chatbridge.sender", "Sender", required=True, readonly=True, index=True, ondelete="restrict"
    )
    partner_id = fields.Many2one("res.partner", "Partner", related="sender_id.person_id")
    user_id = fields.Many2one("res.users", "User", related="sender_id.user_id")
    company_id = fields.Many2one(related="bot_id.company_id")
    chat_ref = fields.Char("Number of the chat", required=True, readonly=True)
    state = fields.Selection([("active", "Active"), ("ended", "Ended")], default="active", required=True, readonly=True)
    closed = fields.Boolean(compute="_compute_closed")
    ended_reason = fields.Selection(
        [
            ("restart", "The customer started anew"),
            ("blocked", "The customer blocked the bot"),
            ("silence", "Long silence"),
            ("consultation", "The consultation ended"),
        ],
        "Ended because",
        readonly=True,
    )
    opened_at = fields.Datetime("Opened", readonly=True)
    ended_at = fields.Datetime("Ended on", readonly=True)
    last_activity = fields.Datetime("Last activity", readonly=True)
    step_id = fields.Many2one(
        "chatbridge.step", "Step", readonly=True, ondelete="set null", help="Where the dialog stands."
    )
    dialog_state = fields.Text(
        "State of the dialog",
        readonly=True,
        groups="base.group_system",
        help="Kept for the bridge, in case it loses its store.",
    )
    consultation_ids = fields.One2many("chatbridge.consultation", "conversation_id", "Consultations")
    message_ids = fields.One2many("chatbridge.message", "conversation_id", "All messages")
    message_count = fields.Integer("Number of messages", compute="_compute_message_count")
    transcript = fields.Html("Messages", compute="_compute_transcript", sanitize=False)

    _key_unique = compat.constraint("UNIQUE(key)", "The bridge has opened this conversation already.")

    def init(self):
        """Let the database itself keep one open conversation per chat."""
        compat.create_unique_index(self, "one_open", "(channel_id, chat_ref) WHERE state = 'active'")

    def _compute_code(self):
        # From the id: a sequence of Odoo's would cost several queries for each conversation.
        for conversation in self:
            conversation.code = "C%05d" % conversation.id if conversation.id else False

    @api.model
    def _search_code(self, operator, value):
        digits = [re.sub(r"\D", "", str(code or "")) for code in compat.searched_values(value)]
        wanted = "not in" if operator.startswith(("!", "not")) else "in"
        return [("id", wanted, [int(number) for number in digits if number])]

    @api.depends("state")
    def _compute_closed(self):
        for conversation in self:
            conversation.closed = conversation.state == "ended"

    def _compute_message_count(self):
        counts = compat.count_by(
            self.env["chatbridge.message"], "conversation_id", [("conversation_id", "in", self.ids)]
        )
        for conversation in self:
            conversation.message_count = counts.get(conversation.id, 0)

    def _compute_transcript(self):
        for conversation in self:
            messages = self.env["chatbridge.message"].search(
                [("conversation_id", "=", conversation.id)], order="sequence desc", limit=SHOWN_ON_FORM
            )
            conversation.transcript = "".join(message._as_bubble() for message in messages.sorted("sequence"))

    def unlink(self):
        """Delete ended conversations; the bridge still writes to an active one."""
        self.env["ir.model.access"].check(self._name, "unlink")
        # A consultation that has just been begun in Odoo may run in a conversation that has ended meanwhile.
        running = self.sudo()._running_consultation().conversation_id
        active = self.filtered(lambda conversation: conversation.state == "active" or conversation in running)
        if active:
            raise UserError(
                _(
                    "The conversation %s is still active and can't be deleted. It ends by itself after a long silence,"
                    " or when the customer starts anew or blocks the bot."
                )
                % ", ".join(active.mapped("code"))
            )
        return super().unlink()

    def action_messages(self):
        """Open all messages of the conversation as a list."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("chatbridge.chatbridge_message_action")
        action["domain"] = [("conversation_id", "=", self.id)]
        return action


def bubble(side, head, body, failure):
    """Return one message as HTML; the body is sanitised already, the rest is escaped here."""
    failed = '<div style="color:#a94442">%s</div>' % tools.html_escape(failure) if failure else ""
    return (
        '<div style="display:flex"><div style="%s"><small style="color:#6c757d">%s</small><div>%s</div>%s</div></div>'
        % (
            SIDES[side],
            tools.html_escape(head),
            # `str`: the value is a Markup, whose own `replace` would escape the tags it looks for.
            str(body or "").replace("<p>", '<p style="margin:0">'),
            failed,
        )
    )
