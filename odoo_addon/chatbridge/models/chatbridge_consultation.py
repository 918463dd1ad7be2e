from odoo import fields, models

from .. import compat


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
        ],
        "Ended because",
        readonly=True,
    )
    wait = fields.Boolean(readonly=True, help="The customer waits even while no operator is there.")
    joined = fields.Boolean(readonly=True, help="The bridge has taken the consultation up.")
    requested_at = fields.Datetime("Requested", required=True, readonly=True)
    assigned_at = fields.Datetime("Assigned", readonly=True)
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
