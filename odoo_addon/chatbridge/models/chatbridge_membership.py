from odoo import fields, models

from .. import compat


class ChatbridgeMembership(models.Model):
    """A sender in a chat: since when, and whether they have blocked the bot."""

    _name = "chatbridge.membership"
    _description = "Member of a chat"
    _order = "channel_id, sender_id"
    _rec_name = "sender_id"

    sender_id = fields.Many2one(
        "chatbridge.sender", "Sender", required=True, readonly=True, index=True, ondelete="cascade"
    )
    channel_id = fields.Many2one(
        "chatbridge.channel", "Chat", required=True, readonly=True, index=True, ondelete="cascade"
    )
    messenger_id = fields.Many2one(related="channel_id.messenger_id", string="Messenger")
    bot_id = fields.Many2one("chatbridge.bot", "Bot", related="channel_id.bot_id", store=True, index=True)
    blocked = fields.Boolean("Blocked", readonly=True, help="The customer has blocked the bot: nothing can be sent.")
    approval = fields.Selection(
        [("pending", "Waits for approval"), ("approved", "Was approved"), ("rejected", "Was rejected")],
        "Approval",
        readonly=True,
        help="Whether somebody who wrote to an operator chat may be one of its operators.",
    )
    first_seen = fields.Datetime("First seen", readonly=True, help="When the sender first wrote in this chat.")

    _sender_channel_unique = compat.constraint(
        "UNIQUE(sender_id, channel_id)", "This sender is a member of the chat already."
    )
