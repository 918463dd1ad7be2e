from odoo import api, fields, models

from .. import compat
from ..rpc.contacts import profile_name


class ChatbridgeSender(models.Model):
    """One messenger account, such as a Telegram user; shown by its messenger name everywhere (B-4)."""

    _name = "chatbridge.sender"
    _description = "Sender"
    _order = "name, id"

    name = fields.Char(
        "Name in the messenger",
        readonly=True,
        index=True,
        help="First and last name in the messenger, else the username, else the number.",
    )
    messenger_id = fields.Many2one(
        "chatbridge.messenger", "Messenger", required=True, readonly=True, index=True, ondelete="restrict"
    )
    user_ref = fields.Char(
        "Number in the messenger", required=True, readonly=True, help="The account's own number; it never changes."
    )
    first_name = fields.Char("First name", readonly=True)
    last_name = fields.Char("Last name", readonly=True)
    username = fields.Char(readonly=True)
    language_code = fields.Char("Language in the messenger", readonly=True)
    partner_id = fields.Many2one(
        "res.partner",
        "Account contact",
        index=True,
        ondelete="set null",
        help="The contact that stands for this messenger account.",
    )
    person_id = fields.Many2one(
        "res.partner",
        "Partner",
        index=True,
        ondelete="set null",
        help="The person behind the account, with all their accounts below.",
    )
    user_id = fields.Many2one("res.users", "User", compute="_compute_user_id", help="The Odoo user of this person.")
    membership_ids = fields.One2many("chatbridge.membership", "sender_id", "Chats")
    conversation_ids = fields.One2many("chatbridge.conversation", "sender_id", "Conversations")
    conversation_count = fields.Integer("Number of conversations", compute="_compute_conversation_count")
    blocked = fields.Boolean("Has blocked a bot", compute="_compute_blocked", search="_search_blocked")

    _user_unique = compat.constraint("UNIQUE(messenger_id, user_ref)", "This messenger account is known already.")

    def _compute_user_id(self):
        for sender in self:
            sender.user_id = sender.sudo().person_id.user_ids[:1]

    def _compute_conversation_count(self):
        counts = compat.count_by(self.env["chatbridge.conversation"], "sender_id", [("sender_id", "in", self.ids)])
        for sender in self:
            sender.conversation_count = counts.get(sender.id, 0)

    @api.depends("membership_ids.blocked")
    def _compute_blocked(self):
        for sender in self:
            sender.blocked = any(sender.membership_ids.mapped("blocked"))

    @api.model
    def _search_blocked(self, operator, value):
        wanted = any(compat.searched_values(value)) == (operator in ("=", "in"))
        blocked = self.env["chatbridge.membership"].search([("blocked", "=", True)]).mapped("sender_id")
        return [("id", "in" if wanted else "not in", blocked.ids)]

    @api.model_create_multi
    def create(self, vals_list):
        """Create, named by the profile where no name is given."""
        return super().create([dict(vals, name=vals.get("name") or profile_name(vals)) for vals in vals_list])

    def action_conversations(self):
        """Open the sender's conversations."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("chatbridge.chatbridge_conversation_action")
        action["domain"] = [("sender_id", "=", self.id)]
        return action
