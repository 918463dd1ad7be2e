from odoo import _, api, fields, models
from odoo.exceptions import ValidationError


class ChatbridgeStepAnswer(models.Model):
    """An answer that the customer may choose at a step with buttons."""

    _name = "chatbridge.step.answer"
    _description = "Answer"
    _inherit = "chatbridge.configuration.mixin"
    _order = "step_id, sequence, id"

    name = fields.Char("Answer", required=True, translate=True, help="The text on the button.")
    sequence = fields.Integer(default=10)
    step_id = fields.Many2one("chatbridge.step", "Step", required=True, index=True, ondelete="cascade")
    bot_id = fields.Many2one(related="step_id.bot_id")
    next_step_id = fields.Many2one(
        "chatbridge.step", "Go to step", ondelete="set null", index=True, domain="[('bot_id', '=', bot_id)]"
    )
    keyboard_button_ids = fields.One2many("chatbridge.step.keyboard.button", "answer_id", "Keyboard buttons")

    @api.constrains("next_step_id", "step_id")
    def _check_next_step_id(self):
        for answer in self:
            if answer.next_step_id and answer.next_step_id.bot_id != answer.step_id.bot_id:
                raise ValidationError(_("An answer can lead to a step of the same bot only."))

    @api.model_create_multi
    def create(self, vals_list):
        """Create, each with a button in a row of its own on the keyboard (ST-5)."""
        answers = super().create(vals_list)
        self.env["chatbridge.step.keyboard.button"]._make_for_answers(answers)
        return answers
