import logging

import psycopg2

from odoo import api, fields, models
from odoo.exceptions import UserError

from .. import compat
from ..rpc import quiet
from .chatbridge_consultation import RUNNING

_logger = logging.getLogger(__name__)


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
            self._serve(self.env["chatbridge.bot"].sudo().browse(bot_id))

    @api.model
    def _serve(self, bot):
        """Give a free slot to who waits; a queue that is stuck is no reason to fail what freed the slot."""
        try:
            with self.env.cr.savepoint():
                bot._assign_next()
        except compat.PASSING_EXCEPTIONS:
            raise
        except (UserError, psycopg2.IntegrityError, psycopg2.DataError) as error:
            quiet.log(_logger, "A queue of customers could not be served", error)

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
