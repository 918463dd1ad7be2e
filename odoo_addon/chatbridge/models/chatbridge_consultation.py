from odoo import _, api, fields, models
from odoo.exceptions import UserError

from .. import compat

#: The states in which a consultation still needs somebody.
RUNNING = ("queued", "assigned")


class ChatbridgeConsultation(models.Model):
    """A conversation in the hands of an operator, from the request to its end (docs/decisions/0004)."""

    _name = "chatbridge.consultation"
    _description = "Consultation"
    _order = "id desc"
    _rec_name = "conversation_id"

    key = fields.Char("Key of the bridge", required=True, readonly=True, groups="base.group_system")
    conversation_id = fields.Many2one(
        "chatbridge.conversation", "Conversation", required=True, readonly=True, index=True, ondelete="cascade"
    )
    bot_id = fields.Many2one(
        "chatbridge.bot", "Operator chat", required=True, readonly=True, index=True, ondelete="restrict"
    )
    company_id = fields.Many2one(related="bot_id.company_id")
    step_id = fields.Many2one("chatbridge.step", "Step", readonly=True, ondelete="set null")
    operator_id = fields.Many2one("chatbridge.operator", "Operator", readonly=True, index=True, ondelete="set null")
    user_id = fields.Many2one(
        "res.users", "User", readonly=True, index=True, help="Who answers or answered, also after leaving the chat."
    )
    state = fields.Selection(
        [("queued", "Waiting"), ("assigned", "Running"), ("ended", "Over"), ("refused", "Nobody was there")],
        "Status",
        default="queued",
        required=True,
        readonly=True,
        index=True,
    )
    ended_reason = fields.Selection(
        [
            ("customer", "Ended by the customer"),
            ("operator", "Ended by the operator"),
            ("restart", "The customer began anew"),
            ("blocked", "The customer blocked the bot"),
            ("silence", "Long silence"),
        ],
        "Ended because",
        readonly=True,
    )
    wait = fields.Boolean(readonly=True, help="The customer waits even while no operator is there.")
    joined = fields.Boolean(readonly=True, help="The bridge has taken the consultation up.")
    requested_at = fields.Datetime("Requested", required=True, readonly=True)
    assigned_at = fields.Datetime("Assigned", readonly=True)
    unattended_since = fields.Datetime(
        "Unattended since",
        readonly=True,
        help="Since when no operator is there for somebody who waits; empty while one is.",
    )
    ended_at = fields.Datetime("Ended on", readonly=True)
    discuss_channel_id = fields.Many2one(
        compat.DISCUSS_CHANNEL_MODEL, "Discuss channel", readonly=True, index=True, ondelete="set null"
    )
    posted_sequence = fields.Integer(
        readonly=True, help="The last message of the conversation that has been posted in Discuss."
    )

    _key_unique = compat.constraint("UNIQUE(key)", "The bridge's key names one consultation.")

    def init(self):
        """One running consultation for each conversation."""
        super().init()
        compat.create_unique_index(
            self, "open_unique", "(conversation_id) WHERE state IN ('queued', 'assigned')"
        )

    def _lock(self):
        """Keep everybody else from writing these rows, or events about them, until this transaction is over."""
        compat.flush_all(self.env)
        self.env.cr.execute(
            "SELECT id FROM chatbridge_consultation WHERE id = ANY(%s) ORDER BY id FOR UPDATE", (self.ids,)
        )

    def _tell(self, kind, **more):
        """Write an event for the bridge, under the lock that makes the order of ids that of the commits."""
        self.ensure_one()
        self._lock()
        conversation = self.conversation_id
        self.env["chatbridge.event"]._about_chat(
            "consultation." + kind,
            conversation.channel_id,
            conversation.sender_id,
            conversation.chat_ref,
            conversation,
            consultation=self.key,
            **more
        )

    def _relay(self):
        """Have what the customer has written posted in Discuss, now or with the conversation so far."""
        if self.discuss_channel_id:
            self._discuss_relay()
        elif self:
            # Whoever makes the channel at this moment does not see the new lines: one of both is repeated.
            self.env.cr.execute(
                "UPDATE chatbridge_consultation SET posted_sequence = posted_sequence WHERE id = ANY(%s)", (self.ids,)
            )

    def _operator_said(self, message):
        """Have what an operator wrote in Discuss delivered."""
        consultation = self.sudo()
        consultation._lock()
        if consultation.state != "assigned":
            raise UserError(_("This consultation is over: the customer does not read here any more."))
        message = message.sudo()
        consultation._tell(
            "said",
            message=message.id,
            operator=message.author_id.name or consultation.user_id.name,
            body=str(message.body or ""),
        )

    # The end

    def _end(self, reason):
        """End the consultation, if it runs; the slot that this frees goes to who waits."""
        consultation = self.sudo()
        consultation._lock()
        if consultation.state not in RUNNING:
            return
        operator = consultation.operator_id if consultation.state == "assigned" else consultation.operator_id.browse()
        consultation.write({"state": "ended", "ended_reason": reason, "ended_at": fields.Datetime.now()})
        if reason == "operator":
            consultation._tell("ended")
            consultation.conversation_id._end_with_consultation()
        operator._free_slot()
        if consultation.user_id:
            consultation._discuss_close(reason)
        consultation.bot_id._assign_next()

    # The conversation around it

    @api.model
    def _conversation_opened(self, conversation_id):
        """Take what still runs in earlier conversations of this chat to its end, or to the new conversation."""
        conversation = self.env["chatbridge.conversation"].browse(conversation_id)
        chat = [
            ("state", "in", RUNNING),
            ("conversation_id", "!=", conversation_id),
            ("conversation_id.channel_id", "=", conversation.channel_id.id),
            ("conversation_id.chat_ref", "=", conversation.chat_ref),
        ]
        for consultation in self.search(chat, order="id"):
            if consultation.joined or conversation._running_consultation():
                consultation._end("restart")
            else:
                consultation._move(conversation)

    @api.model
    def _conversation_closed(self, conversation_id, reason):
        """End what runs in a conversation that has ended; one that the bridge has yet to hear of goes on."""
        running = self.env["chatbridge.conversation"].browse(conversation_id)._running_consultation()
        running.filtered("joined")._end(reason)

    def _join(self, conversation_id):
        """Note that the bridge has the consultation, and in which conversation."""
        conversation = self.env["chatbridge.conversation"].browse(conversation_id)
        if self.conversation_id != conversation and self.state in RUNNING:
            conversation._running_consultation()._end("restart")
            self._move(conversation)
        if not self.joined:
            self.joined = True
        # What the customer said before the bridge had heard of the consultation.
        self._relay()

    def _move(self, conversation):
        """Go on in another conversation of the chat, whose lines are counted from 1."""
        self._lock()
        self.write({"conversation_id": conversation.id, "posted_sequence": 0})
        self._relay()
