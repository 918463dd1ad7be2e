from odoo import api, fields, models

from .. import compat


class ChatbridgeOperator(models.Model):
    """Who an operator is, where they answer, and whether they are there (OP-3)."""

    _inherit = "chatbridge.operator"

    name = fields.Char(compute="_compute_name", search="_search_name", compute_sudo=True)
    messenger_id = fields.Many2one(
        "chatbridge.messenger",
        "Messenger",
        compute="_compute_messenger_id",
        help="Where the operator answers: in Odoo, or in the messenger of a sender.",
    )
    presence = fields.Selection(
        [("online", "Online"), ("away", "Away"), ("offline", "Offline")],
        compute="_compute_presence",
        help="Whether the user is active in Odoo now. Who answers from a messenger has no presence.",
    )

    @api.depends("user_id.name", "sender_id.name")
    def _compute_name(self):
        for operator in self:
            operator.name = operator.user_id.name or operator.sender_id.name

    @api.model
    def _search_name(self, operator, value):
        return ["|", ("user_id.name", operator, value), ("sender_id.name", operator, value)]

    @api.depends("user_id", "sender_id")
    def _compute_messenger_id(self):
        livechat = self.env.ref("chatbridge.messenger_livechat", raise_if_not_found=False)
        for operator in self:
            operator.messenger_id = operator.sender_id.messenger_id or livechat

    @api.depends("user_id")
    def _compute_presence(self):
        for operator in self:
            operator.presence = compat.presence(operator.user_id) if operator.user_id else False
