from odoo import _, api, fields, models

from .. import compat


class ChatbridgeOperator(models.Model):
    """Somebody who has joined an operator chat: an Odoo user, or a sender of a messenger."""

    _name = "chatbridge.operator"
    _description = "Operator"
    _order = "bot_id, id"

    bot_id = fields.Many2one(
        "chatbridge.bot",
        "Bot",
        required=True,
        index=True,
        ondelete="cascade",
        domain=[("kind", "=", "operator")],
    )
    user_id = fields.Many2one("res.users", "User", index=True, ondelete="cascade", domain=[("share", "=", False)])
    sender_id = fields.Many2one("chatbridge.sender", "Sender", index=True, ondelete="cascade", readonly=True)
    open_count = fields.Integer(
        "Open chats", default=0, readonly=True, copy=False, help="How many consultations run now."
    )
    assigned_at = fields.Datetime(
        "Last chat", readonly=True, copy=False, help="When a consultation was last assigned: equals are served in turn."
    )

    _user_unique = compat.constraint("UNIQUE(bot_id, user_id)", "This user is an operator of the chat already.")
    _sender_unique = compat.constraint("UNIQUE(bot_id, sender_id)", "This sender is an operator of the chat already.")
    _one_of_both = compat.constraint(
        "CHECK((user_id IS NULL) <> (sender_id IS NULL))", "An operator is a user or a sender, not both."
    )

    # Slots

    def _take_slot(self, most):
        """Count one more chat for the one of these operators who is next, and return them; nobody, if all are full.

        Next is who has the fewest open chats; of equals who has waited longest. One statement: two transactions that
        choose the same operator can't both commit. `most` is the limit; 0 is none.
        """
        compat.flush_all(self.env)
        self.env.cr.execute(
            """
            UPDATE chatbridge_operator
               SET open_count = open_count + 1, assigned_at = clock_timestamp() AT TIME ZONE 'UTC'
             WHERE (%(most)s = 0 OR open_count < %(most)s)
               AND id = (SELECT id FROM chatbridge_operator
                          WHERE id = ANY(%(ids)s) AND (%(most)s = 0 OR open_count < %(most)s)
                          ORDER BY open_count, assigned_at NULLS FIRST, id LIMIT 1)
            RETURNING id
            """,
            {"most": max(most, 0), "ids": self.ids},
        )
        row = self.env.cr.fetchone()
        compat.invalidate_all(self.env)
        return self.browse(row)

    def _free_slot(self):
        """Count one chat less."""
        self._change("open_count = greatest(open_count - 1, 0)")

    def _block_crossing(self):
        """Have transactions that take or free these operators' slots meanwhile exclude this one."""
        self._change("open_count = open_count")

    def _change(self, assignment):
        if self:
            compat.flush_all(self.env)
            self.env.cr.execute(
                "UPDATE chatbridge_operator SET %s WHERE id = ANY(%%s)" % assignment,
                (self.ids,),
            )
            compat.invalidate_all(self.env)

    # Coming and going

    def _open_consultations(self):
        """Return what these operators have in hand, oldest first."""
        return (
            self.env["chatbridge.consultation"]
            .sudo()
            .search([("operator_id", "in", self.ids), ("state", "=", "assigned")], order="id")
        )

    def _give_back(self, hand_over=True):
        """Hand the open chats over to other operators, as far as these have room; the rest waits for the next one."""
        for consultation in self._open_consultations():
            bot = consultation.bot_id
            others = (bot._present_operators() if hand_over else self.browse()) - self
            operator = others._take_slot(bot.most_parallel_chats)
            if operator:
                consultation._assign(operator)
            else:
                consultation._put_back()

    @api.model_create_multi
    def create(self, vals_list):
        """Create with no open chats; who waits gets the new operator."""
        operators = super().create([dict(vals, open_count=0, assigned_at=False) for vals in vals_list])
        bots = operators.sudo().mapped("bot_id")
        bots._block_crossing()
        bots._assign_next()
        return operators

    def write(self, vals):
        """Write; whoever becomes somebody else gives the open chats back first."""
        moved = bool({"bot_id", "user_id", "sender_id"} & set(vals))
        if moved:
            self.env["ir.model.access"].check(self._name, "write")
            self.sudo()._give_back()
        result = super().write(vals)
        if moved:
            self.sudo().mapped("bot_id")._assign_next()
        return result

    def unlink(self):
        """Delete; no customer stays behind with nobody."""
        self.env["ir.model.access"].check(self._name, "unlink")
        bots = self.sudo().mapped("bot_id")
        self.sudo()._give_back()
        result = super().unlink()
        bots.exists()._assign_next()
        return result
