from odoo import api, models


class ResLang(models.Model):
    """Languages: texts travel to the bridge in those that are installed."""

    _inherit = "res.lang"

    def _chatbridge_changed(self):
        """Tell the bridge that every bot's texts come in other languages now."""
        bots = self.env["chatbridge.bot"].sudo().search([])
        self.env["chatbridge.event"]._configuration_changed(bots.ids)

    @api.model_create_multi
    def create(self, vals_list):
        """Create and tell the bridge."""
        records = super().create(vals_list)
        records._chatbridge_changed()
        return records

    def write(self, vals):
        """Write and tell the bridge when a language is switched on or off."""
        result = super().write(vals)
        if "active" in vals or "code" in vals:
            self._chatbridge_changed()
        return result

    def unlink(self):
        """Delete and tell the bridge."""
        self._chatbridge_changed()
        return super().unlink()
