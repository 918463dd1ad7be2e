from odoo import fields, models


class ImLivechatChannel(models.Model):
    """Each operator chat has a live chat channel of its own: heading in Discuss, filter of Odoo's reports."""

    _inherit = "im_livechat.channel"

    chatbridge_bot_id = fields.Many2one(
        "chatbridge.bot", "Chatbot", readonly=True, copy=False, index=True, ondelete="set null"
    )

    def _of_chatbridge_bot(self, bot):
        """Return the channel of an operator chat, made when it is needed first; it follows the bot's name."""
        channel = self.sudo().search([("chatbridge_bot_id", "=", bot.id)], order="id", limit=1)
        if not channel:
            # No users: visitors of a website must not be led to them.
            return self.sudo().create({"name": bot.name, "chatbridge_bot_id": bot.id, "user_ids": [(6, 0, [])]})
        if channel.name != bot.name:
            channel.name = bot.name
        return channel
