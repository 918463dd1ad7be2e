"""Carrying out a batch of operations: read what they touch, walk through them in memory, write in bulk.

The walk is in the order of the operations, each seeing what those before it have done, so the result is that of
carrying them out one by one. A refusal of one leaves the others alone. What the database itself refuses fails the
batch as a whole; the caller then gives each operation a batch of its own (``chatbridge.bridge._in_bulk``).

What touches operators and Discuss comes after the writing, in the order of the operations (``self.afterwards``).
"""

import json
import re
from functools import lru_cache

from odoo import _
from odoo.tools import html_sanitize

from .. import compat
from . import contacts
from .consultations import ConsultationOperations
from .refusal import Refusal
from .state import PROFILE, State

#: Escaped text with line breaks needs no parser to be safe, and Odoo 14's would damage it: it writes %20, %24, %7B
#: and others as the characters that they stand for, in the middle of a customer's link.
PLAIN = re.compile(r"[^<>&]*(?:(?:&(?:amp|lt|gt|quot|#[0-9]+|#[xX][0-9a-fA-F]+);|<br ?/?>)[^<>&]*)*")


@lru_cache(maxsize=256)
def clean(body):
    """Return a message's body as it may be shown; what bots say comes again and again, so it is remembered."""
    return "<p>%s</p>" % body if PLAIN.fullmatch(body) else str(html_sanitize(body))


class Batch(ConsultationOperations):
    """One batch; ``env`` must hold the rights to write everything."""

    def __init__(self, env):
        self.env = env
        self.state = State(env)
        #: What is to be done once the rows are written, as functions.
        self.afterwards = []

    def run(self, operations):
        """Carry out checked operations; return for each ``{"ok": …}`` or ``{"refused": …}``."""
        compat.flush_all(self.env)
        self.state.load(operations)
        outcomes = []
        for operation in operations:
            try:
                outcomes.append({"ok": getattr(self, "_do_" + operation["type"].replace(".", "_"))(operation)})
            except Refusal as refusal:
                outcomes.append({"refused": str(refusal)})
                if refusal.missing:
                    outcomes[-1]["missing"] = refusal.missing
        self.state.write()
        for work in self.afterwards:
            work()
        return [self._resolved(outcome) for outcome in outcomes]

    @staticmethod
    def _resolved(outcome):
        """Put ids where an answer points to rows."""
        ok = outcome.get("ok")
        return outcome if ok is None else {"ok": {name: row.id for name, row in ok.items()}}

    # What may be missing

    def _channel(self, operation):
        channel = self.state.channels.get(operation["channel"])
        if not channel:
            raise Refusal(_("The chat does not exist any more."), "channel")
        return channel

    def _conversation(self, operation):
        row = self.state.conversations.rows.get(operation["conversation"])
        if not row:
            raise Refusal(_("The conversation does not exist any more."), "conversation")
        return row

    def _step(self, operation):
        """Return the step's id; one that was deleted under a running dialog is left empty."""
        return operation["step"] if operation["step"] in self.state.steps else None

    def _sender(self, channel, user):
        """Return the sender's row, a bare one for somebody who was deleted in Odoo meanwhile."""
        key = (channel["messenger"], user)
        nobody = dict.fromkeys(("partner_id", "person_id", "name", *PROFILE))
        return self.state.senders.rows.get(key) or self.state.senders.add(
            key, dict(nobody, messenger_id=key[0], user_ref=user)
        )

    def _membership(self, channel, sender, at):
        key = (sender, channel["id"])
        row = self.state.memberships.rows.get(key) or self.state.memberships.add(
            key,
            {
                "sender_id": sender,
                "channel_id": channel["id"],
                "bot_id": channel["bot"],
                "blocked": False,
                "approval": None,
                "first_seen": at,
            },
        )
        if channel["kind"] == "operator" and not row["approval"]:
            # Who writes to an operator chat's own bot wants to be one of its operators (B-SET-8).
            row.set(approval="pending")
        return row

    # One method for each type of operation

    def _do_sender(self, operation):
        channel = self._channel(operation)
        sender = self._sender(channel, operation["user"])
        sender.set(**{name: operation[name] for name in PROFILE})
        self._membership(channel, sender, operation["at"])
        if channel["create_partner"] and not sender["partner_id"] and sender not in self.state.wishes:
            installed = [code for code, _name in self.env["res.lang"].get_installed()]
            language = contacts.language_of(installed, operation["language_code"], channel["language"])
            self.state.wishes[sender] = {"company": channel["company"], "lang": language}
        return {"sender": sender}

    def _do_conversation_open(self, operation):
        channel = self._channel(operation)
        known = self.state.conversations.rows.get(operation["conversation"])
        if known:
            return {"conversation": known}
        sender = self._sender(channel, operation["user"])
        self._membership(channel, sender, operation["at"])
        place = (channel["id"], operation["chat"])
        if place in self.state.open:
            self._end(self.state.open[place], "restart", operation["at"])
        row = self.state.conversations.add(
            operation["conversation"],
            {
                "key": operation["conversation"],
                "channel_id": channel["id"],
                "bot_id": channel["bot"],
                "sender_id": sender,
                "chat_ref": operation["chat"],
                "state": "active",
                "ended_reason": None,
                "ended_at": None,
                "opened_at": operation["at"],
                "last_activity": operation["at"],
                "step_id": None,
                "dialog_state": None,
            },
        )
        self.state.open[place] = row
        self._after_opening(row)
        return {"conversation": row}

    def _do_message(self, operation):
        conversation = self._conversation(operation)
        key = (conversation, operation["sequence"])
        if key in self.state.messages.rows:
            raise Refusal(_("The conversation has a message number %d already.") % operation["sequence"])
        conversation.set(last_activity=max(conversation["last_activity"], operation["at"]))
        values = {name: operation[name] for name in ("sequence", "author", "kind", "telegram_message", "at")}
        values.update(
            body=clean(operation["body"]),
            conversation_id=conversation,
            step_id=self._step(operation),
            state="sent",
            failure_reason=None,
            consultation_id=self._consultation_of_message(operation),
            discuss_message_id=self._discuss_message(operation),
        )
        return {"message": self.state.messages.add(key, values)}

    def _said(self, operation, authors):
        """Return the row of a message of one of these authors."""
        row = self.state.messages.rows.get((self._conversation(operation), operation["sequence"]))
        if not row or row["author"] not in authors:
            raise Refusal(
                _("The conversation has no message number %d that was to be delivered.") % operation["sequence"]
            )
        return row

    def _do_message_sent(self, operation):
        row = self._said(operation, ("operator",))
        row.set(telegram_message=operation["telegram_message"])
        # A long message goes in pieces: one of them refused, and the whole has failed.
        if row["state"] != "failed":
            row.set(state="sent", failure_reason=None)
            self._after_delivery(row["discuss_message_id"], "sent")
        return {}

    def _do_message_failed(self, operation):
        row = self._said(operation, ("bot", "operator"))
        row.set(state="failed", failure_reason=operation["reason"])
        self._after_delivery(row["discuss_message_id"], "failed", operation["reason"])
        return {}

    def _do_conversation_state(self, operation):
        state = json.dumps(operation["state"], ensure_ascii=False)
        self._conversation(operation).set(step_id=self._step(operation), dialog_state=state)
        return {}

    def _do_conversation_close(self, operation):
        conversation = self._conversation(operation)
        self._end(conversation, operation["reason"], operation["at"])
        self._after_closing(conversation, operation["reason"])
        return {}

    def _do_membership(self, operation):
        channel = self._channel(operation)
        sender = self._sender(channel, operation["user"])
        self._membership(channel, sender, operation["at"]).set(blocked=operation["blocked"])
        return {}

    def _end(self, conversation, reason, at):
        if conversation["state"] == "ended":
            return
        conversation.set(state="ended", ended_reason=reason, ended_at=at)
        self.state.open.pop((conversation["channel_id"], conversation["chat_ref"]), None)
