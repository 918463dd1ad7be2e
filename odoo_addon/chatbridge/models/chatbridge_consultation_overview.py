from odoo import _, api, fields, models


class ChatbridgeConsultation(models.Model):
    """What a consultation shows of its people."""

    _inherit = "chatbridge.consultation"

    sender_id = fields.Many2one("chatbridge.sender", "Sender", related="conversation_id.sender_id")
    operator_name = fields.Char("Operator's name", compute="_compute_operator_name", compute_sudo=True)
    in_discuss = fields.Boolean("Is in Discuss", compute="_compute_in_discuss", compute_sudo=True)

    @api.depends("operator_id", "user_id")
    def _compute_operator_name(self):
        for consultation in self:
            consultation.operator_name = consultation.operator_id.name or consultation.user_id.name

    @api.depends("discuss_channel_id")
    def _compute_in_discuss(self):
        for consultation in self:
            consultation.in_discuss = bool(consultation.discuss_channel_id)

    def action_discuss(self):
        """Open the consultation in Discuss."""
        self.ensure_one()
        return self._discuss_action()


class ChatbridgeConversation(models.Model):
    """A conversation with the operator in it (B-6)."""

    _inherit = "chatbridge.conversation"

    consultation_id = fields.Many2one(
        "chatbridge.consultation",
        "Consultation",
        compute="_compute_consultation_id",
        compute_sudo=True,
        help="The latest one.",
    )
    consultation_state = fields.Selection(
        lambda self: self.env["chatbridge.consultation"]._fields["state"]._description_selection(self.env),
        "Consultation is",
        compute="_compute_consultation_id",
        compute_sudo=True,
    )
    operator_name = fields.Char(
        "Operator", compute="_compute_consultation_id", compute_sudo=True, help="Who answers or answered."
    )
    in_discuss = fields.Boolean("Is in Discuss", compute="_compute_consultation_id", compute_sudo=True)

    @api.depends("consultation_ids.state", "consultation_ids.operator_name", "consultation_ids.in_discuss")
    def _compute_consultation_id(self):
        for conversation in self:
            consultation = conversation.consultation_ids.sorted("id")[-1:]
            conversation.consultation_id = consultation
            conversation.consultation_state = consultation.state
            conversation.operator_name = consultation.operator_name
            conversation.in_discuss = consultation.in_discuss

    def action_end_consultation(self):
        """End the consultation that runs."""
        self.ensure_one()
        return self.consultation_id.action_end()

    def action_discuss(self):
        """Open the consultation in Discuss."""
        self.ensure_one()
        return self.consultation_id.action_discuss()

    def action_delete(self):
        """Ask whether to delete the conversation. Lists of 14.0 and 15.0 don't ask by themselves."""
        self.ensure_one()
        question = self.env["chatbridge.conversation.delete"].create({"conversation_id": self.id})
        return {
            "type": "ir.actions.act_window",
            "name": _("Delete a conversation"),
            "res_model": question._name,
            "res_id": question.id,
            "view_mode": "form",
            "views": [(False, "form")],
            "target": "new",
        }
