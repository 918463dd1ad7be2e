from odoo import fields, models

from .. import compat


class ChatbridgeOperator(models.Model):
    """Somebody who has joined an operator chat: an Odoo user, or a sender of a messenger."""

    _name = "chatbridge.operator"
    _description = "Operator"
    _order = "bot_id, id"

    bot_id = fields.Many2one(
        "chatbridge.bot",
        "Bot",
        required=True,
        index=True,
        ondelete="cascade",
        domain=[("kind", "=", "operator")],
    )
    user_id = fields.Many2one("res.users", "User", index=True, ondelete="cascade", domain=[("share", "=", False)])
    sender_id = fields.Many2one("chatbridge.sender", "Sender", index=True, ondelete="cascade", readonly=True)
    open_count = fields.Integer("Open chats", readonly=True, copy=False, help="How many consultations run now.")
    assigned_at = fields.Datetime(
        "Last chat", readonly=True, copy=False, help="When a consultation was last assigned: equals are served in turn."
    )

    _user_unique = compat.constraint("UNIQUE(bot_id, user_id)", "This user is an operator of the chat already.")
    _sender_unique = compat.constraint("UNIQUE(bot_id, sender_id)", "This sender is an operator of the chat already.")
    _one_of_both = compat.constraint(
        "CHECK((user_id IS NULL) <> (sender_id IS NULL))", "An operator is a user or a sender, not both."
    )
