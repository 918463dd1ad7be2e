"""The operations about consultations: what they change in the walk, and what follows once the rows are written."""

from functools import partial

from .. import compat
from .rows import Row

#: Why a conversation has ended, by why its consultation has.
CONVERSATION_REASON = {"customer": "consultation"}


class ConsultationOperations:
    """The part of a batch that has to do with operators and Discuss.

    The walk writes the rows: conversations, messages, and a request's consultation, which does not run before it is
    decided about. Everything else follows in the order of the operations, when all rows are there.
    """

    def _after(self, method, *args, of=None):
        """Call a method of ``chatbridge.consultation`` once the rows are written: of the one whose row is `of`, if any.

        Rows among the arguments become ids.
        """
        self.afterwards.append(partial(self._call, method, args, of))

    def _call(self, method, args, of):
        consultation = self.env["chatbridge.consultation"].browse(of and of.id)
        getattr(consultation, method)(*[arg.id if isinstance(arg, Row) else arg for arg in args])

    def _runs(self, conversation):
        """Tell whether a consultation runs, or is about to, in this conversation's chat."""
        return (conversation["channel_id"], conversation["chat_ref"]) in self.state.busy

    # What the walk asks

    def _consultation_of_message(self, operation):
        """Return the consultation's row, if there is one; have a customer's line posted in Discuss."""
        row = self.state.consultations.rows.get(operation["consultation"])
        if row and operation["author"] == "customer":
            self._after("_relay", of=row)
        return row

    def _discuss_message(self, operation):
        """Return the message's id; one that was deleted meanwhile is left empty."""
        return operation["discuss_message"] if operation["discuss_message"] in self.state.discuss_messages else None

    def _after_delivery(self, discuss_message, state, reason=None):
        if discuss_message:
            self._after("_discuss_delivery", [discuss_message], state, reason)

    def _after_opening(self, conversation):
        """What runs in this chat still belongs to an earlier conversation."""
        if self._runs(conversation):
            self._after("_conversation_opened", conversation)

    def _after_closing(self, conversation, reason):
        if self._runs(conversation):
            self._after("_conversation_closed", conversation, reason)

    # One method for each type of operation

    def _do_consultation_request(self, operation):
        conversation = self._conversation(operation)
        known = self.state.consultations.rows.get(operation["consultation"])
        if known:
            return {"consultation": known}
        bot = operation["operator_bot"] if operation["operator_bot"] in self.state.operator_bots else None
        row = self.state.consultations.add(
            operation["consultation"],
            {
                "key": operation["consultation"],
                "conversation_id": conversation,
                # Without an operator chat it is refused; it has to belong to some bot nevertheless.
                "bot_id": bot or conversation["bot_id"],
                "step_id": self._step(operation),
                # It runs when `_request` says so: another one may still run here, and end before this one's turn.
                "state": "refused",
                "wait": operation["wait"],
                "joined": True,
                "requested_at": operation["at"],
                "posted_sequence": 0,
            },
        )
        self.state.busy.add((conversation["channel_id"], conversation["chat_ref"]))
        self._after("_request", of=row)
        return {"consultation": row}

    def _do_consultation_joined(self, operation):
        conversation = self._conversation(operation)
        row = self.state.consultations.rows.get(operation["consultation"])
        if row:
            self.state.busy.add((conversation["channel_id"], conversation["chat_ref"]))
            self._after("_join", conversation, of=row)
        return {}

    def _do_consultation_end(self, operation):
        conversation = self._conversation(operation)
        row = self.state.consultations.rows.get(operation["consultation"])
        if row:
            self._after("_end", operation["reason"], of=row)
        self._end(conversation, CONVERSATION_REASON.get(operation["reason"], operation["reason"]), operation["at"])
        self._after_closing(conversation, operation["reason"])
        return {}

    def _do_discuss_failed(self, operation):
        if operation["discuss_message"] in self.state.discuss_messages:
            self._after_delivery(operation["discuss_message"], "failed", operation["reason"])
        return {}

    def _do_channel_refreshed(self, operation):
        channel = self._channel(operation)
        values = (operation["answer"], "ok" if operation["ok"] else "wrong", operation["username"], channel["id"])
        self.afterwards.append(partial(self._write_refreshed, values))
        return {}

    def _write_refreshed(self, values):
        compat.flush_all(self.env)
        # By SQL, as a heartbeat does: what the bridge itself says is no change of the configuration.
        self.env.cr.execute(
            "UPDATE chatbridge_channel SET hook_answer = %s, hook_state = %s, username = coalesce(%s, username)"
            " WHERE id = %s",
            values,
        )
        compat.invalidate_all(self.env)
