import logging
from datetime import timedelta

import psycopg2

from odoo import api, fields, models
from odoo.exceptions import UserError

from .. import compat
from ..rpc import quiet
from .chatbridge_consultation import RUNNING

_logger = logging.getLogger(__name__)

#: How long nobody may be there before those who wait are refused.
GRACE = timedelta(minutes=5)


class ChatbridgeConsultation(models.Model):
    """Who gets a consultation, and who waits (OP-2).

    Transactions that could cross each other write a row in common, so that PostgreSQL lets only one of them through
    and Odoo repeats the other: whoever takes or frees a slot writes the operator; whoever queues writes the operator
    chat and all its operators, for any of them could be getting free; whoever joins writes the operator chat.
    """

    _inherit = "chatbridge.consultation"

    # What the bridge asked for

    def _request(self):
        """Decide about a new consultation: assigned, in the queue, or refused; the bridge hears it by an event."""
        running = self.conversation_id._running_consultation()
        if running:
            self.write({"state": "ended", "ended_reason": "restart", "ended_at": fields.Datetime.now()})
            running._tell_again()
        elif not self._may_wait():
            self._tell("refused")
        else:
            self.write({"state": "queued"})
            self.bot_id._assign_next()
            if self.state == "queued":
                self._queue()

    def _may_wait(self):
        """Tell whether an operator may come to this consultation."""
        bot = self.bot_id
        return bot.kind == "operator" and bot.active and (self.wait or bool(bot._present_operators()))

    def _tell_again(self):
        """Say how things stand to a bridge that asks while another consultation runs in the conversation."""
        if self.state == "assigned":
            self._tell("assigned", operator=self.user_id.name, started=not self.joined)
        else:
            self._tell("queued", place=self._place())

    def _queue(self):
        """Wait for a slot; a slot that is being freed at this moment makes this transaction be repeated."""
        self.bot_id._block_crossing()
        self.operator_id.search([("bot_id", "=", self.bot_id.id)])._block_crossing()
        self._tell("queued", place=self._place())

    def _place(self):
        """Return the place in the queue: 1 is next."""
        return self.search_count([("bot_id", "=", self.bot_id.id), ("state", "=", "queued"), ("id", "<=", self.id)])

    # Operators

    def _assign(self, operator, started=False):
        """Give the consultation to an operator whose slot is counted already, from another's hands too."""
        self._lock()
        had_user = self.user_id
        before = self.operator_id if self.state == "assigned" else operator.browse()
        self.write(
            {
                "state": "assigned",
                "operator_id": operator.id,
                "user_id": operator.user_id.id,
                "assigned_at": fields.Datetime.now(),
            }
        )
        before._free_slot()
        self._tell("assigned", operator=operator.user_id.name, started=started)
        if not had_user:
            self._discuss_open()
        elif had_user != self.user_id:
            self._discuss_hand_over(had_user)

    def _put_back(self):
        """Take the consultation from its operator, to its old place in the queue.

        It keeps the user: Discuss is handed over when the next operator is known.
        """
        self._lock()
        operator = self.operator_id
        self.write({"state": "queued", "operator_id": False})
        operator._free_slot()
        self._queue()

    # The queue

    @api.model
    def _assign_waiting(self):
        """Look after the queues: somebody who waits may find an operator who has come back (called by heartbeats)."""
        self.env.cr.execute("SELECT DISTINCT bot_id FROM chatbridge_consultation WHERE state = 'queued' ORDER BY 1")
        for (bot_id,) in self.env.cr.fetchall():
            bot = self.env["chatbridge.bot"].sudo().browse(bot_id)
            bot._assign_next()
            self._queue_of(bot)._look_for_operators(bot._present_operators())

    def _assign_to_one_of(self, operators):
        """Give the consultation to one of these operators; tell whether the queue may go on.

        One that can't be assigned is no reason to fail what freed the slot, or to keep those behind it waiting.
        """
        try:
            with self.env.cr.savepoint():
                operator = operators._take_slot(self.bot_id.most_parallel_chats)
                if operator:
                    self._assign(operator)
                return bool(operator)
        except compat.PASSING_EXCEPTIONS:
            raise
        except (UserError, psycopg2.IntegrityError, psycopg2.DataError) as error:
            quiet.log(_logger, "A customer who waits could not be given to an operator", error)
            return True

    def _look_for_operators(self, present):
        """Refuse those for whom nobody has been there for a while: their dialog goes on without (OP-2).

        Not at once: a page that is loaded anew, a line that breaks, are no reason to send customers away.
        """
        hopeful = self.browse() if present else self.filtered(lambda waiting: not waiting.wait)
        (self - hopeful).filtered("unattended_since").write({"unattended_since": False})
        now = fields.Datetime.now()
        hopeful.filtered(lambda waiting: not waiting.unattended_since).write({"unattended_since": now})
        hopeful.filtered(lambda waiting: waiting.unattended_since < now - GRACE)._refuse()

    def _refuse(self):
        """Send away who waits: the customer is told, and the dialog goes on."""
        for consultation in self:
            consultation._lock()
            consultation.write({"state": "refused"})
            consultation._tell("refused")
            if consultation.user_id:
                consultation._discuss_close("refused")

    @api.model
    def _queue_of(self, bot):
        """Return who waits for an operator of this chat, in their order."""
        return self.sudo().search([("bot_id", "=", bot.id), ("state", "=", "queued")], order="id")


class ChatbridgeConversation(models.Model):
    """What a conversation has to do with its consultation."""

    _inherit = "chatbridge.conversation"

    def _running_consultation(self):
        """Return the conversation's consultation that still needs somebody."""
        return self.env["chatbridge.consultation"].search(
            [("conversation_id", "in", self.ids), ("state", "in", RUNNING)], limit=1
        )

    def _end_with_consultation(self):
        """End the conversation whose consultation has ended in Odoo."""
        if self.state == "active":
            self.write({"state": "ended", "ended_reason": "consultation", "ended_at": fields.Datetime.now()})
