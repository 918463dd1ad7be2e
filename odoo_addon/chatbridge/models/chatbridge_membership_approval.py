from odoo import _, models
from odoo.exceptions import AccessError, UserError

from ..rpc import snapshot


class ChatbridgeMembership(models.Model):
    """Whether somebody who wrote to an operator chat may be one of its operators."""

    _inherit = "chatbridge.membership"

    def _check_moderator(self):
        self.ensure_one()
        self.read(["display_name"])
        if not self.env.user.has_group("chatbridge.group_administrator"):
            raise AccessError(_("Only chatbot administrators may approve or reject operators."))
        if self.sudo().bot_id.kind != "operator":
            raise UserError(_("Only operator chats have operators."))

    def action_approve(self):
        """Let the sender be an operator of the chat, and tell them (B-SET-9)."""
        self._check_moderator()
        membership = self.sudo()
        if membership.approval != "approved":
            membership.write({"approval": "approved"})
            if not membership.bot_id.odoo_operators_only and not membership._operator():
                self.env["chatbridge.operator"].sudo().create(
                    {"bot_id": membership.bot_id.id, "sender_id": membership.sender_id.id}
                )
            membership._say("approved_message")
        return True

    def action_reject(self):
        """Let the sender be no operator of the chat, and tell them (B-SET-10)."""
        self._check_moderator()
        membership = self.sudo()
        if membership.approval != "rejected":
            membership.write({"approval": "rejected"})
            membership._operator().unlink()
            membership._say("rejected_message")
        return True

    def _operator(self):
        """Return the sender as an operator of the chat's bot."""
        return self.env["chatbridge.operator"].search(
            [("bot_id", "=", self.bot_id.id), ("sender_id", "=", self.sender_id.id)]
        )

    def _say(self, field_name):
        """Have the bot say one of its texts to the sender; an empty one is not said."""
        text = snapshot.texts_of(self.bot_id, field_name)
        if text:
            self.env["chatbridge.event"]._about_chat(
                "say",
                self.channel_id,
                self.sender_id,
                self._chat_ref(),
                self.env["chatbridge.conversation"]._open_of(self),
                text=text,
            )
