from odoo import models


class ResUsers(models.Model):
    """Users who are operators."""

    _inherit = "res.users"

    def _chatbridge_operators(self):
        return self.env["chatbridge.operator"].sudo().search([("user_id", "in", self.ids)])

    def write(self, vals):
        """Write; customers of somebody who is archived get another operator."""
        result = super().write(vals)
        if vals.get("active") is False:
            self._chatbridge_operators()._give_back()
        return result

    def unlink(self):
        """Delete; customers of somebody who is deleted get another operator."""
        self._chatbridge_operators().unlink()
        return super().unlink()
