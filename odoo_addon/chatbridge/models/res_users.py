from odoo import api, models

from .. import compat


class ResUsers(models.Model):
    """Users who are operators."""

    _inherit = "res.users"

    @api.model
    def _let_everybody_operate(self):
        """Give each internal user, those to come too, the right to be an operator (OP-1); it can be taken away."""
        operator = self.env.ref("chatbridge.group_operator")
        for user in self.with_context(active_test=False).search([("share", "=", False)]):
            user.write({compat.GROUPS_FIELD: [(4, operator.id)]})
        compat.give_to_new_users(self.env, operator)

    def _chatbridge_operators(self):
        """Return the users as operators of every chat that they have joined."""
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
