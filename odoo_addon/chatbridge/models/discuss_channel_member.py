from odoo import api, models

from .. import compat


class DiscussChannelMember(models.Model):
    """Whose sidebar a consultation stands in."""

    _inherit = compat.DISCUSS_MEMBER_MODEL

    def init(self):
        """Let an operator's channels be found among those of all the others."""
        super().init()
        compat.create_member_index(self)

    def write(self, vals):
        """Closing the window of a consultation that is over takes it out of the sidebar (until 18.0)."""
        result = super().write(vals)
        if vals.get("fold_state") == "closed":
            for member in self.filtered(lambda member: member.channel_id.chatbridge_bot_id):
                consultation = member.channel_id._chatbridge_consultation("ended")
                user = consultation.user_id
                if user and user.partner_id == member.partner_id and member.is_pinned:
                    compat.unpin_at_once(member, user)
        return result

    @api.autovacuum
    def _gc_unpin_livechat_sessions(self):
        """Odoo's tidying of live chats leaves running consultations where they are: Telegram's talk may be slow."""
        running = self.env["chatbridge.consultation"].sudo().search([("state", "=", "assigned")])
        members = self.sudo().search([("channel_id", "in", running.discuss_channel_id.ids), ("is_pinned", "=", True)])
        result = super()._gc_unpin_livechat_sessions()
        compat.invalidate_all(self.env)
        hidden = members.filtered(lambda member: not member.is_pinned)
        compat.set_pinned(hidden, True)
        for channel in hidden.mapped("channel_id"):
            compat.tell_livechat_end(channel)
        return result
