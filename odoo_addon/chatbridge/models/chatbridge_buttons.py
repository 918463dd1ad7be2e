from odoo import api, fields, models


class ChatbridgeBot(models.Model):
    """Joining and leaving an operator chat."""

    _inherit = "chatbridge.bot"

    joined = fields.Boolean("You have joined", compute="_compute_joined", help="You are one of the bot's operators.")

    @api.depends_context("uid")
    @api.depends("operator_ids.user_id")
    def _compute_joined(self):
        for bot in self:
            bot.joined = self.env.user in bot.operator_ids.mapped("user_id")

    def action_join(self):
        """Make the current user an operator of this chat."""
        self.ensure_one()
        if not self.joined:
            self.env["chatbridge.operator"].sudo().create({"bot_id": self.id, "user_id": self.env.uid})
        return True

    def action_leave(self):
        """Take the current user off this chat's operators."""
        self.ensure_one()
        self.sudo().operator_ids.filtered(lambda operator: operator.user_id == self.env.user).unlink()
        return True


class ChatbridgeConsultation(models.Model):
    """The end of a consultation, and its place in Discuss."""

    _inherit = "chatbridge.consultation"

    def action_end(self):
        """End the consultation."""
        self.sudo().filtered(lambda consultation: consultation.state in ("queued", "assigned")).write(
            {"state": "ended", "ended_reason": "operator", "ended_at": fields.Datetime.now()}
        )

    def _discuss_action(self):
        """Return the action that opens Discuss."""
        return self.env["ir.actions.actions"]._for_xml_id("mail.action_discuss")


class ChatbridgeSender(models.Model):
    """Talking with a sender."""

    _inherit = "chatbridge.sender"

    def action_live_chat(self):
        """Open the sender's last consultation."""
        self.ensure_one()
        return self.conversation_ids[:1].consultation_id._discuss_action()


class ChatbridgeConversation(models.Model):
    """Talking with the sender of a conversation."""

    _inherit = "chatbridge.conversation"

    def action_live_chat(self):
        """Open the sender's last consultation."""
        self.ensure_one()
        return self.sender_id.action_live_chat()


class ChatbridgeMembership(models.Model):
    """Talking with a member, letting it be an operator."""

    _inherit = "chatbridge.membership"

    def action_live_chat(self):
        """Open the sender's last consultation."""
        self.ensure_one()
        return self.sender_id.action_live_chat()

    def action_approve(self):
        """Let the sender be an operator of the chat."""
        self.sudo().write({"approval": "approved"})

    def action_reject(self):
        """Let the sender be no operator of the chat."""
        self.sudo().write({"approval": "rejected"})
