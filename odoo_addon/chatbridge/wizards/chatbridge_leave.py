from odoo import api, fields, models


class ChatbridgeLeave(models.TransientModel):
    """The question that an operator who leaves with open chats is asked (OP-1)."""

    _name = "chatbridge.leave"
    _description = "Leave an operator chat"

    bot_id = fields.Many2one("chatbridge.bot", "Operator chat", required=True, readonly=True, ondelete="cascade")
    open_count = fields.Integer("Your open chats", compute="_compute_counts")
    available_count = fields.Integer(
        "Other operators who are there",
        compute="_compute_counts",
        help="Operators who are active in Odoo now and have room for another chat.",
    )

    @api.depends("bot_id")
    @api.depends_context("uid")
    def _compute_counts(self):
        for leave in self:
            own = leave._operator()
            others = leave.bot_id._present_operators() - own
            most = leave.bot_id.sudo().most_parallel_chats
            leave.open_count = own.open_count
            leave.available_count = len(others.filtered(lambda other, most=most: not most or other.open_count < most))

    def _operator(self):
        """Return the current user as an operator of the chat: nobody leaves in another's name."""
        return self.bot_id._operator_of(self.env.user)

    def action_hand_over(self):
        """Hand the open chats over to other operators, as far as they have room, and leave."""
        self._operator().unlink()
        return {"type": "ir.actions.act_window_close"}

    def action_put_back(self):
        """Put the open chats back to the queue, before all who wait there, and leave."""
        operator = self._operator()
        operator._give_back(hand_over=False)
        operator.unlink()
        return {"type": "ir.actions.act_window_close"}
