from odoo import _, api, fields, models
from odoo.exceptions import UserError, ValidationError

from .. import compat


class ChatbridgeStepAlias(models.Model):
    """A word or command that leads to a step (ST-3)."""

    _name = "chatbridge.step.alias"
    _description = "Step alias"
    _inherit = "chatbridge.configuration.mixin"
    _order = "bot_id, step_id, kind desc, code"
    _rec_name = "code"

    code = fields.Char(required=True, help="What the customer writes to get to the step. /start marks the first step.")
    code_key = fields.Char(
        "Code for comparing",
        compute="_compute_code_key",
        store=True,
        help="The code as it is compared: capitals and outer spaces don't count.",
    )
    kind = fields.Selection(
        [("manual", "By hand"), ("auto", "Automatic")],
        "Origin",
        default="manual",
        required=True,
        readonly=True,
        help="Each step has an automatic code that never changes; the others are written by hand.",
    )
    step_id = fields.Many2one("chatbridge.step", "Step", required=True, index=True, ondelete="cascade")
    bot_id = fields.Many2one("chatbridge.bot", "Bot", related="step_id.bot_id", store=True, index=True)

    # Deferred: `_check_code` gets to say which step has the code before PostgreSQL says only that one has.
    _code_unique = compat.constraint(
        "UNIQUE(bot_id, code_key) DEFERRABLE INITIALLY DEFERRED", "This code leads to another step of the bot already."
    )

    @api.depends("code")
    def _compute_code_key(self):
        for alias in self:
            alias.code_key = self._key_of(alias.code)

    @api.model
    def _key_of(self, code):
        """Return a code as it is compared."""
        return (code or "").strip().casefold()

    @api.constrains("code", "step_id")
    def _check_code(self):
        for alias in self:
            key = self._key_of(alias.code)
            if not key:
                raise ValidationError(_("An alias needs a code."))
            bot = alias.step_id.bot_id
            twin = self.search(
                [("step_id.bot_id", "=", bot.id), ("code_key", "=", key), ("id", "!=", alias.id)], limit=1
            )
            if twin:
                raise ValidationError(
                    _(
                        "The code «%(code)s» leads to the step «%(step)s» already. Codes are unique in a bot; capitals"
                        " and outer spaces don't count."
                    )
                    % {"code": alias.code.strip(), "step": twin.step_id.name}
                )

    @api.model
    def _make_automatic(self, steps):
        """Give each step the code that stays with it for good."""
        return self.create([self._automatic_vals(step) for step in steps])

    @api.model
    def _automatic_vals(self, step):
        """Return the values of a step's automatic code, another one where somebody has written it by hand already."""
        code = "step_%d" % step.id
        while self.search_count([("step_id.bot_id", "=", step.bot_id.id), ("code_key", "=", code)]):
            code += "_"
        return {"step_id": step.id, "kind": "auto", "code": code}

    def write(self, vals):
        """Write hand-written codes only."""
        if {"code", "kind"} & set(vals):
            self._refuse_automatic()
        return super().write(vals)

    def unlink(self):
        """Delete hand-written codes only; an automatic one goes with its step."""
        self._refuse_automatic()
        return super().unlink()

    def _refuse_automatic(self):
        if "auto" in self.mapped("kind"):
            raise UserError(_("An automatic code stays as it is: other steps may be reached by it."))

    def action_open_step(self):
        """Open the step that the code leads to."""
        return self.step_id.action_open()
