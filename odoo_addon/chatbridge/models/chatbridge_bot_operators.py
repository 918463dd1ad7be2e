from odoo import _, api, fields, models
from odoo.exceptions import AccessError, UserError

from .. import compat

#: The most that one transaction assigns: each costs a Discuss channel and its first message. Heartbeats go on with the rest.
MOST_AT_ONCE = 20


class ChatbridgeBot(models.Model):
    """An operator chat and its operators: who joins, who is there, who gets the next chat."""

    _inherit = "chatbridge.bot"

    joined = fields.Boolean("You have joined", compute="_compute_joined", help="You are one of the bot's operators.")

    @api.depends_context("uid")
    @api.depends("operator_ids.user_id")
    def _compute_joined(self):
        for bot in self:
            bot.joined = bool(bot._operator_of(self.env.user))

    def write(self, vals):
        """Write; where more chats are allowed than before, who waits gets in; where none are any more, nobody waits."""
        result = super().write(vals)
        if {"most_parallel_chats", "active"} & set(vals):
            self.sudo()._assign_next()
        if vals.get("active") is False:
            for bot in self.sudo():
                self.env["chatbridge.consultation"]._queue_of(bot)._refuse()
        return result

    def _operator_of(self, user):
        """Return the user as an operator of these chats."""
        return self.env["chatbridge.operator"].sudo().search([("bot_id", "in", self.ids), ("user_id", "=", user.id)])

    # Joining and leaving

    def _check_operator(self):
        """Refuse who may not be an operator here: the right can be taken away (OP-1)."""
        self.ensure_one()
        # The company's rule: nobody joins a chat that they can't see.
        self.read(["name"])
        if not self.env.user.has_group("chatbridge.group_operator"):
            raise AccessError(_("Only users with the right “Chatbot: Operator” can join."))
        if self.kind != "operator":
            raise UserError(_("“%s” is a client chat: only operator chats have operators.") % self.name)

    def action_join(self):
        """Make the current user an operator of this chat."""
        self._check_operator()
        if not self._operator_of(self.env.user):
            self.env["chatbridge.operator"].sudo().create({"bot_id": self.id, "user_id": self.env.uid})
        return True

    def action_leave(self):
        """Take the current user off the chat's operators; with open chats, ask first what is to become of them."""
        self.ensure_one()
        operator = self._operator_of(self.env.user)
        if not operator.open_count:
            operator.unlink()
            return True
        leave = self.env["chatbridge.leave"].create({"bot_id": self.id})
        return {
            "type": "ir.actions.act_window",
            "name": _("Leave “%s”") % self.name,
            "res_model": leave._name,
            "res_id": leave.id,
            "view_mode": "form",
            "views": [(False, "form")],
            "target": "new",
        }

    # Who gets the next chat

    def _present_operators(self):
        """Return the operators who may get a chat now: users who have joined and are active in Odoo (OP-3).

        Whoever has lost the right is none any more (OP-1).
        """
        operators = (
            self.env["chatbridge.operator"]
            .sudo()
            .search(
                [
                    ("bot_id", "in", self.ids),
                    ("user_id.active", "=", True),
                    ("user_id.share", "=", False),
                    ("user_id." + compat.ALL_GROUPS_FIELD, "in", self.env.ref("chatbridge.group_operator").ids),
                ]
            )
        )
        there = compat.online(operators.mapped("user_id"))
        return operators.filtered(lambda operator: operator.user_id in there)

    def _block_crossing(self):
        """Have transactions that queue or join meanwhile exclude this one, which does the same."""
        if self:
            compat.flush_all(self.env)
            self.env.cr.execute("UPDATE chatbridge_bot SET active = active WHERE id = ANY(%s)", (self.ids,))

    def _assign_next(self):
        """Give those who wait, in their order, to operators who have room: so many at once, the rest a moment later."""
        for bot in self.filtered("active"):
            queue = self.env["chatbridge.consultation"]._queue_of(bot)[:MOST_AT_ONCE]
            present = bot._present_operators() if queue else bot.env["chatbridge.operator"]
            for consultation in queue:
                if not consultation._assign_to_one_of(present):
                    break
