from odoo import fields, models

from .. import compat


class ChatbridgeChannelToken(models.Model):
    """A channel's token, apart from the channel and readable by nobody.

    A field's groups keep it from being read, but up to 15.0 not from being searched, sorted and grouped by, and so
    from being guessed letter by letter. Nobody has rights on this table: the channel's field reads and writes it.
    """

    _name = "chatbridge.channel.token"
    _description = "Token of a chat"
    _rec_name = "channel_id"

    channel_id = fields.Many2one("chatbridge.channel", "Chat", required=True, index=True, ondelete="cascade")
    value = fields.Char("Token", required=True)

    _channel_unique = compat.constraint("UNIQUE(channel_id)", "A chat has one token.")
