from odoo import _, api, fields, models
from odoo.exceptions import ValidationError


class ChatbridgeStepKeyboardButton(models.Model):
    """A button of the reply keyboard: an answer of the step, or a text of its own (ST-5)."""

    _name = "chatbridge.step.keyboard.button"
    _description = "Button of the Telegram keyboard"
    _inherit = "chatbridge.configuration.mixin"
    _order = "step_id, row, sequence, id"
    _rec_name = "label"

    step_id = fields.Many2one("chatbridge.step", "Step", required=True, index=True, ondelete="cascade")
    bot_id = fields.Many2one(related="step_id.bot_id")
    row = fields.Integer(default=1, required=True, help="Buttons with the same number stand in one row.")
    sequence = fields.Integer("Place", default=10, help="The order in the row, from left to right.")
    answer_id = fields.Many2one(
        "chatbridge.step.answer",
        "Answer",
        ondelete="cascade",
        index=True,
        domain="[('step_id', '=', step_id)]",
        help="The answer that stands on the button. Its text and step are the answer's.",
    )
    name = fields.Char("Own text", translate=True, help="The text of a button that is not an answer.")
    next_step_id = fields.Many2one(
        "chatbridge.step",
        "Go to step",
        ondelete="set null",
        index=True,
        domain="[('bot_id', '=', bot_id)]",
        help="Where a button with a text of its own leads.",
    )
    label = fields.Char("Button", compute="_compute_label")

    @api.depends("answer_id.name", "name")
    @api.depends_context("lang")
    def _compute_label(self):
        for button in self:
            button.label = button.answer_id.name if button.answer_id else button.name

    @api.constrains("answer_id", "name", "step_id", "next_step_id")
    def _check_content(self):
        for button in self:
            if not button.answer_id and not button.name:
                raise ValidationError(_("A keyboard button needs an answer or a text of its own."))
            if button.answer_id and button.answer_id.step_id != button.step_id:
                raise ValidationError(_("A keyboard button can show an answer of its own step only."))
            if button.next_step_id and button.next_step_id.bot_id != button.step_id.bot_id:
                raise ValidationError(_("A keyboard button can lead to a step of the same bot only."))

    @api.model
    def _make_for_answers(self, answers):
        """Give each answer a button in a row of its own, below the others."""
        vals_list = []
        for step in answers.mapped("step_id"):
            row = max(step.keyboard_button_ids.mapped("row"), default=0)
            for answer in answers.filtered(
                lambda answer, step=step: answer.step_id == step and not answer.keyboard_button_ids
            ):
                row += 1
                vals_list.append({"step_id": step.id, "answer_id": answer.id, "row": row})
        return self.create(vals_list)
