from odoo import _, fields, models, tools
from odoo.exceptions import UserError

from .. import compat

#: Set in the context of whatever the addon itself does in a channel: the hooks below leave it alone.
OURS = "chatbridge_posting"
END = "/end"


class DiscussChannel(models.Model):
    """A channel of Discuss in which an operator talks with a customer (docs/discuss.md)."""

    _inherit = compat.DISCUSS_CHANNEL_MODEL

    chatbridge_bot_id = fields.Many2one(
        "chatbridge.bot",
        "Chatbot",
        readonly=True,
        copy=False,
        index=True,
        ondelete="restrict",
        help="The operator chat whose consultation this is. Its operators and members see it, nobody else.",
    )

    def _chatbridge_consultation(self, state=None):
        """Return the consultation that takes place here, in this state if one is named."""
        if not self.chatbridge_bot_id:
            return self.env["chatbridge.consultation"].sudo()
        domain = [("discuss_channel_id", "=", self.id)] + ([("state", "=", state)] if state else [])
        return self.env["chatbridge.consultation"].sudo().search(domain, limit=1)

    def _channel_get_livechat_visitor_info(self):
        """Name the customer without a contact, not who stands for them among the members (14.0)."""
        if self.chatbridge_bot_id and self.anonymous_name:
            return {"country": False, "id": False, "name": self.anonymous_name}
        return super()._channel_get_livechat_visitor_info()

    @compat.returns_message
    def message_post(self, **kwargs):
        """Post; in a consultation, `/end` ends it, and nobody writes after its end."""
        if not self.chatbridge_bot_id or self.env.context.get(OURS):
            return super().message_post(**kwargs)
        kwargs = self._chatbridge_with_author(self._chatbridge_without_customer(kwargs))
        if kwargs.get("message_type") != "comment" or self.env.user.share or not self._chatbridge_seen():
            return super().message_post(**kwargs)
        consultation = self._chatbridge_consultation()
        ends = tools.html2plaintext(kwargs.get("body") or "").strip().lower() == END
        reason = self._chatbridge_why_not(consultation, ends)
        if reason:
            return self._chatbridge_refuse(kwargs, reason)
        if ends:
            consultation._end("operator")
            return self._chatbridge_last_message()
        message = super().message_post(**kwargs)
        if message.sudo().attachment_ids and self._chatbridge_is_for_customer(message):
            consultation._discuss_files_stay(message)
        return message

    def _chatbridge_without_customer(self, kwargs):
        """Take people who are no users of Odoo out of those to be told: they would get an e-mail."""
        if not kwargs.get("partner_ids"):
            return kwargs
        partners = self.env["res.partner"].sudo().browse(kwargs["partner_ids"])
        return dict(kwargs, partner_ids=partners.filtered(lambda partner: not partner.partner_share).ids)

    def _chatbridge_with_author(self, kwargs):
        """Let people without an e-mail address write too: 14.0 and 15.0 would refuse them, but nothing is mailed."""
        user = self.env.user
        if user.email or "author_id" in kwargs or "email_from" in kwargs:
            return kwargs
        return dict(kwargs, author_id=user.partner_id.id, email_from=user.name)

    def _chatbridge_why_not(self, consultation, ends):
        """Return why what is written here would reach nobody; the end can be told later."""
        if consultation.state == "assigned":
            if ends or consultation.conversation_id.channel_id._is_live():
                return None
            return _("This chat is switched off: nothing can be sent. An administrator can switch it on again.")
        if consultation.state == "queued":
            return _("This customer waits for another operator. Whoever takes the chat over can write.")
        return _(
            "This consultation has ended. Open the customer's conversation and press Live chat to begin a new one."
        )

    def _chatbridge_refuse(self, kwargs, reason):
        """Tell the operator that nobody would read it; the words stay where they can be copied from."""
        if not compat.POSTS_AT_ONCE:
            raise UserError(reason)
        message = self.with_context(**{OURS: True}).message_post(**kwargs)
        self.env["chatbridge.consultation"]._discuss_delivery(message.ids, "failed", reason)
        return message

    def _chatbridge_last_message(self):
        return self.env["mail.message"].search(
            [("model", "=", self._name), ("res_id", "=", self.id)], order="id desc", limit=1
        )

    def _message_post_after_hook(self, message, msg_vals):
        """Pass on what an operator has written."""
        result = super()._message_post_after_hook(message, msg_vals)
        if self.chatbridge_bot_id and not self.env.context.get(OURS) and self._chatbridge_is_said(message):
            consultation = self._chatbridge_consultation("assigned")
            if consultation:
                consultation._operator_said(message.sudo())
        return result

    def _chatbridge_is_said(self, message):
        """Tell whether a message is words of a person of ours, for the customer; files alone are none."""
        files_alone = message.sudo().attachment_ids and not tools.html2plaintext(message.body or "").strip()
        return not files_alone and self._chatbridge_is_for_customer(message)

    def _chatbridge_is_for_customer(self, message):
        """Tell whether a message is of a person of ours, and no note."""
        message = message.sudo()
        author = message.author_id
        return (
            message.message_type == "comment"
            and not message.is_internal
            and not message.subtype_id.internal
            and bool(author.user_ids)
            and not author.partner_share
        )

    def write(self, vals):
        """A running consultation ends by our own hand alone, not by Odoo's clearing up (19.0)."""
        if vals.get("livechat_end_dt") and not self.env.context.get(OURS):
            running = self.filtered(lambda channel: channel._chatbridge_consultation("assigned"))
            if running:
                rest = {name: value for name, value in vals.items() if name != "livechat_end_dt"}
                super(DiscussChannel, running).write(rest)
                return super(DiscussChannel, self - running).write(vals)
        return super().write(vals)

    def _action_unfollow(self, partner=None, *args, **kwargs):
        """An operator who leaves a consultation hides it: the customer's next line brings it back."""
        if self.chatbridge_bot_id and partner and not self.env.context.get(OURS):
            consultation = self._chatbridge_consultation()
            if consultation.user_id.partner_id == partner:
                return compat.unpin_at_once(consultation._discuss_membership(), consultation.user_id)
        return super()._action_unfollow(partner, *args, **kwargs)

    def _define_command_end(self):
        """The command of 14.0's composer; 15.0 to 18.0 send the word as it is typed, 19.0 has it in static/src."""
        return {"channel_types": ["livechat"], "help": _("End the consultation")}

    def _execute_command_end(self, **kwargs):
        """Carry the command out; whoever may not see the consultation ends nothing.

        14.0 offers commands by the type of the channel: in talks with a website's visitors it is a word like others.
        """
        if not self.sudo().chatbridge_bot_id:
            self.message_post(body=END, message_type="comment", subtype_xmlid="mail.mt_comment")
            return
        consultation = self._chatbridge_seen()._chatbridge_consultation("assigned")
        if consultation:
            consultation._end("operator")

    def execute_command_end(self, **kwargs):
        """Carry the command out, as the client of 19.0 calls it."""
        self._execute_command_end(**kwargs)

    def _chatbridge_seen(self):
        """Return the channel if the user may see it."""
        return self if self.env.su else self.search([("id", "=", self.id)])

    def _to_store_defaults(self, *args, **kwargs):
        """Tell the client which channels are consultations (19.0)."""
        return super()._to_store_defaults(*args, **kwargs) + compat.consultation_attributes()
