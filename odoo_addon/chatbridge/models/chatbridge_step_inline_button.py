import re

from odoo import _, api, fields, models
from odoo.exceptions import ValidationError

URL = re.compile(r"^(https?|tg)://\S+$", re.IGNORECASE)


class ChatbridgeStepInlineButton(models.Model):
    """A button under the step's message: leads to a step or opens an address (ST-5)."""

    _name = "chatbridge.step.inline.button"
    _description = "Telegram button"
    _inherit = "chatbridge.configuration.mixin"
    _order = "step_id, row, sequence, id"

    name = fields.Char("Text", required=True, translate=True, help="The text on the button.")
    step_id = fields.Many2one("chatbridge.step", "Step", required=True, index=True, ondelete="cascade")
    bot_id = fields.Many2one(related="step_id.bot_id")
    row = fields.Integer(default=1, required=True, help="Buttons with the same number stand in one row.")
    sequence = fields.Integer("Place", default=10, help="The order in the row, from left to right.")
    next_step_id = fields.Many2one(
        "chatbridge.step", "Go to step", ondelete="set null", index=True, domain="[('bot_id', '=', bot_id)]"
    )
    url = fields.Char(
        "Address (URL)", help="What the button opens: an address that begins with https://, http:// or tg://."
    )

    @api.constrains("url", "next_step_id", "step_id")
    def _check_target(self):
        for button in self:
            if button.url and button.next_step_id:
                raise ValidationError(_("A button leads to a step or opens an address, not both: %s") % button.name)
            if button.url and not URL.match(button.url):
                raise ValidationError(
                    _("The address of a button begins with https://, http:// or tg://: %s") % button.url
                )
            if button.next_step_id and button.next_step_id.bot_id != button.step_id.bot_id:
                raise ValidationError(_("A button can lead to a step of the same bot only."))
