import psycopg2

from odoo import _, api, fields, models
from odoo.exceptions import UserError

from .. import compat
from ..exceptions import TryAgain
from ..rpc import quiet, ulid
from .chatbridge_consultation import RUNNING


class ChatbridgeConsultation(models.Model):
    """Consultations that an operator begins in Odoo (B-6)."""

    _inherit = "chatbridge.consultation"

    @api.model
    def _live_chat(self, membership, user):
        """Open the user's consultation with a sender in a chat, begun now where there is none; return the action."""
        running = self.search(
            [
                ("conversation_id.sender_id", "=", membership.sender_id.id),
                ("conversation_id.channel_id", "=", membership.channel_id.id),
                ("state", "in", RUNNING),
            ],
            limit=1,
        )
        if running.state == "assigned":
            if running.user_id != user:
                raise UserError(
                    _("%(operator)s is talking with %(customer)s already.")
                    % {"operator": running.user_id.name, "customer": membership.sender_id.name}
                )
            return running.with_user(user).sudo()._discuss_action()
        if membership.blocked:
            raise UserError(_("%s has blocked the bot: nothing can be sent.") % membership.sender_id.name)
        if not membership.channel_id._is_live():
            raise UserError(
                _("The chat “%s” is switched off: nothing can be sent.") % membership.channel_id.name
            )
        operator = self._operator_for(running.bot_id or membership.bot_id, user)
        consultation = running or self._start(membership, operator.bot_id)
        # A chat that the operator begins is not subject to the limit, but it counts.
        consultation._assign(operator._take_slot(0), started=not running)
        return consultation.with_user(user).sudo()._discuss_action()

    @api.model
    def _operator_for(self, bot, user):
        """Return the user as an operator of the operator chat that a bot's customers are handed over to."""
        chats = self._operator_chats(bot)
        joined = chats._operator_of(user)
        if not joined:
            if not chats:
                raise UserError(_("There is no operator chat yet."))
            raise UserError(_("To talk with customers, join the operator chat “%s” first.") % chats[0].name)
        return joined.sorted(lambda operator: chats.ids.index(operator.bot_id.id))[0]

    @api.model
    def _operator_chats(self, bot):
        """Return the operator chats that serve a bot's customers: those that its steps name, else the company's."""
        if bot.kind == "operator":
            return bot
        steps = bot.step_ids.filtered(lambda step: step.kind == "operator")
        named = steps.mapped("operator_bot_id").filtered("active")
        companies = [False] + bot.company_id.ids
        domain = [("kind", "=", "operator")] + ([("company_id", "in", companies)] if bot.company_id else [])
        return named or bot.search(domain, order="id")

    @api.model
    def _start(self, membership, bot):
        """Make a consultation that the bridge has yet to hear of, in the chat's open conversation or a new one."""
        conversation = self.env["chatbridge.conversation"]._open_of(membership)
        try:
            with quiet.queries(), self.env.cr.savepoint():
                conversation = conversation or conversation._begin(membership)
                return self.create(
                    {
                        "key": ulid.draw(),
                        "conversation_id": conversation.id,
                        "bot_id": bot.id,
                        "requested_at": fields.Datetime.now(),
                    }
                )
        except psycopg2.errors.UniqueViolation as error:
            # The customer wrote, or a colleague was faster, at this very moment.
            raise TryAgain("A concurrent call was faster.") from error


class ChatbridgeConversation(models.Model):
    """The conversation that a live chat takes place in."""

    _inherit = "chatbridge.conversation"

    @api.model
    def _open_of(self, membership):
        """Return the open conversation of a sender in a chat."""
        domain = [("sender_id", "=", membership.sender_id.id), ("channel_id", "=", membership.channel_id.id)]
        return self.search(domain + [("state", "=", "active")], limit=1)

    @api.model
    def _begin(self, membership):
        """Make a conversation under a key of our own."""
        now = fields.Datetime.now()
        return self.create(
            {
                "key": ulid.draw(),
                "channel_id": membership.channel_id.id,
                "bot_id": membership.bot_id.id,
                "sender_id": membership.sender_id.id,
                "chat_ref": membership._chat_ref(),
                "opened_at": now,
                "last_activity": now,
            }
        )

    def action_live_chat(self):
        """Talk with the conversation's sender, in the same chat."""
        self.ensure_one()
        return self.env["chatbridge.membership"].search(
            [("sender_id", "=", self.sender_id.id), ("channel_id", "=", self.channel_id.id)], limit=1
        ).action_live_chat()


class ChatbridgeMembership(models.Model):
    """A sender in a chat, to be talked with."""

    _inherit = "chatbridge.membership"

    def _chat_ref(self):
        """Return the chat's number: the latest conversation's; a private chat has the account's own number."""
        last = self.env["chatbridge.conversation"].search(
            [("sender_id", "=", self.sender_id.id), ("channel_id", "=", self.channel_id.id)],
            order="id desc",
            limit=1,
        )
        return last.chat_ref or self.sender_id.user_ref

    def action_live_chat(self):
        """Talk with the sender in this chat."""
        if not self:
            raise UserError(_("This customer has left the chat."))
        self.ensure_one()
        # Nobody talks with customers of companies that are not theirs.
        self.read(["display_name"])
        return self.env["chatbridge.consultation"].sudo()._live_chat(self.sudo(), self.env.user)


class ChatbridgeSender(models.Model):
    """A messenger account, to be talked with."""

    _inherit = "chatbridge.sender"

    def action_live_chat(self):
        """Talk with the sender, in the chat where they wrote last."""
        self.ensure_one()
        last = self.env["chatbridge.conversation"].search(
            [("sender_id", "=", self.id)], order="last_activity desc, id desc", limit=1
        )
        return (last or self.membership_ids[:1]).action_live_chat()
