from odoo import api, fields, models

from .. import compat


class ChatbridgeBot(models.Model):
    """What a bot's card and form show of operators and of those who wait for them."""

    _inherit = "chatbridge.bot"

    operator_count = fields.Integer("Number of operators", compute="_compute_operator_count")
    consultation_count = fields.Integer("Number of consultations", compute="_compute_consultation_count")
    unattended_chats = fields.Char(
        "Operator chats without operators",
        compute="_compute_unattended_chats",
        compute_sudo=True,
        help="Operator chats that this bot's steps lead to and that nobody has joined.",
    )

    @api.depends("operator_ids")
    def _compute_operator_count(self):
        counts = compat.count_by(self.env["chatbridge.operator"], "bot_id", [("bot_id", "in", self.ids)])
        for bot in self:
            bot.operator_count = counts.get(bot.id, 0)

    def _compute_consultation_count(self):
        counts = compat.count_by(self.env["chatbridge.consultation"], "bot_id", [("bot_id", "in", self.ids)])
        for bot in self:
            bot.consultation_count = counts.get(bot.id, 0)

    @api.depends("step_ids.kind", "step_ids.operator_bot_id.operator_ids")
    def _compute_unattended_chats(self):
        for bot in self:
            chats = bot.step_ids.filtered("nobody_joined").mapped("operator_bot_id")
            bot.unattended_chats = ", ".join(chats.mapped("name")) or False

    def action_consultations(self):
        """Open the consultations of this operator chat, those that are not over first."""
        action = self._action_of_bot("chatbridge.chatbridge_consultation_action")
        action["context"] = {"search_default_open": 1}
        return action

    def action_join_channel(self):
        """Ask which of the chats that exist shall become this bot's."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("chatbridge.chatbridge_channel_join_action")
        action["context"] = {"default_bot_id": self.id}
        return action
