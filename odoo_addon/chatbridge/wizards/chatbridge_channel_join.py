from odoo import fields, models


class ChatbridgeChannelJoin(models.TransientModel):
    """*Join channel*: a chat that exists becomes another bot's (B-2)."""

    _name = "chatbridge.channel.join"
    _description = "Join channel"

    bot_id = fields.Many2one("chatbridge.bot", "Bot", required=True, readonly=True, ondelete="cascade")
    channel_id = fields.Many2one(
        "chatbridge.channel",
        "Chat",
        required=True,
        ondelete="cascade",
        domain="[('bot_id', '!=', bot_id), ('messenger_code', '!=', 'livechat')]",
        help="The chat that shall be this bot's, with its token and settings.",
    )
    from_bot_id = fields.Many2one(related="channel_id.bot_id", string="Belongs to")

    def action_join(self):
        """Move the chosen chat to the bot."""
        self.ensure_one()
        self.channel_id.bot_id = self.bot_id
