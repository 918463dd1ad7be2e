from odoo import fields, models


class ChatbridgeConversationDelete(models.TransientModel):
    """The question before a conversation is deleted from its line in a list (B-6)."""

    _name = "chatbridge.conversation.delete"
    _description = "Delete a conversation"

    conversation_id = fields.Many2one(
        "chatbridge.conversation", "Conversation", required=True, readonly=True, ondelete="cascade"
    )
    sender_id = fields.Many2one(related="conversation_id.sender_id", string="Sender")

    def action_delete(self):
        """Delete it."""
        self.ensure_one()
        self.conversation_id.unlink()
        return {"type": "ir.actions.act_window_close"}
