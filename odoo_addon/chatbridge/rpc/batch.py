"""Carrying out a batch of operations: read what they touch, walk through them in memory, write in bulk.

The walk is in the order of the operations, each seeing what those before it have done, so the result is that of
carrying them out one by one. A refusal of one leaves the others alone. What the database itself refuses fails the
batch as a whole; the caller then gives each operation a batch of its own (``chatbridge.bridge._carry_out``).
"""
import json
import re
from functools import lru_cache

from odoo import _
from odoo.tools import html_sanitize

from .. import compat
from . import contacts
from .rows import Table

PROFILE = ("first_name", "last_name", "username", "language_code")

SENDER = dict.fromkeys(["user_ref", "name", *PROFILE], "text")
SENDER.update(dict.fromkeys(["messenger_id", "partner_id", "person_id"], "int"))
MEMBERSHIP = {"sender_id": "int", "channel_id": "int", "blocked": "bool", "first_seen": "timestamp"}
CONVERSATION = dict.fromkeys(["key", "chat_ref", "state", "ended_reason", "dialog_state"], "text")
CONVERSATION.update(dict.fromkeys(["channel_id", "bot_id", "sender_id", "step_id"], "int"))
CONVERSATION.update(dict.fromkeys(["opened_at", "last_activity", "ended_at"], "timestamp"))
MESSAGE = dict.fromkeys(["author", "kind", "body", "telegram_message", "state", "failure_reason"], "text")
MESSAGE.update(dict.fromkeys(["conversation_id", "sequence", "step_id"], "int"), at="timestamp")


#: A text without any markup needs no parser to be safe.
PLAIN = re.compile(r"[^<>&]*")


@lru_cache(maxsize=256)
def clean(body):
    """Return a message's body as it may be shown; what bots say comes again and again, so it is remembered."""
    return "<p>%s</p>" % body if PLAIN.fullmatch(body) else str(html_sanitize(body))


class Refusal(Exception):
    """An operation that can't be carried out, with the sentence that says why."""


class Batch:
    """One batch; ``env`` must hold the rights to write everything."""

    def __init__(self, env):
        self.env = env
        self.senders = Table(env["chatbridge.sender"], SENDER)
        self.memberships = Table(env["chatbridge.membership"], MEMBERSHIP)
        self.conversations = Table(env["chatbridge.conversation"], CONVERSATION)
        self.messages = Table(env["chatbridge.message"], MESSAGE)
        self.channels = {}
        self.steps = set()
        self.open = {}
        self.wishes = {}

    def run(self, operations):
        """Carry out checked operations; return for each ``{"ok": …}`` or ``{"refused": …}``."""
        compat.flush_all(self.env)
        self._load(operations)
        outcomes = []
        for operation in operations:
            try:
                outcomes.append({"ok": getattr(self, "_do_" + operation["type"].replace(".", "_"))(operation)})
            except Refusal as refusal:
                outcomes.append({"refused": str(refusal)})
        self._write()
        return [self._resolved(outcome) for outcome in outcomes]

    def _resolved(self, outcome):
        """Put ids where an answer points to rows."""
        ok = outcome.get("ok")
        return outcome if ok is None else {"ok": {name: row.id for name, row in ok.items()}}

    # What the operations touch

    def _load(self, operations):
        def named(name):
            return sorted({operation[name] for operation in operations if operation.get(name) is not None})

        self._load_channels(named("channel"))
        self._load_senders(named("user"))
        self._load_conversations(operations, named("conversation"))
        self._load_messages(operations)
        self.env.cr.execute("SELECT id FROM chatbridge_step WHERE id = ANY(%s)", (named("step"),))
        self.steps = {id_ for (id_,) in self.env.cr.fetchall()}

    def _load_channels(self, ids):
        self.env.cr.execute(
            "SELECT c.id, c.bot_id, c.messenger_id, b.create_partner, b.company_id, b.language"
            "  FROM chatbridge_channel c JOIN chatbridge_bot b ON b.id = c.bot_id WHERE c.id = ANY(%s)",
            (ids,),
        )
        names = ("id", "bot", "messenger", "create_partner", "company", "language")
        self.channels = {row[0]: dict(zip(names, row)) for row in self.env.cr.fetchall()}

    def _load_senders(self, users):
        messengers = list({channel["messenger"] for channel in self.channels.values()})
        rows = self.senders.load("user_ref = ANY(%s) AND messenger_id = ANY(%s)", (users, messengers))
        self.senders.rows = {(row["messenger_id"], row["user_ref"]): row for row in rows}
        by_id = {row.id: row for row in rows}
        for row in self.memberships.load(
            "sender_id = ANY(%s) AND channel_id = ANY(%s)", (list(by_id), list(self.channels))
        ):
            self.memberships.rows[by_id[row["sender_id"]], row["channel_id"]] = row

    def _load_conversations(self, operations, keys):
        opened = [operation for operation in operations if operation["type"] == "conversation.open"]
        rows = self.conversations.load(
            "key = ANY(%s) OR state = 'active' AND (channel_id, chat_ref) IN (SELECT * FROM unnest(%s::int[], %s::text[]))",
            (keys, [operation["channel"] for operation in opened], [operation["chat"] for operation in opened]),
        )
        self.conversations.rows = {row["key"]: row for row in rows}
        self.open = {(row["channel_id"], row["chat_ref"]): row for row in rows if row["state"] == "active"}

    def _load_messages(self, operations):
        wanted = [operation for operation in operations if operation["type"] in ("message", "message.failed")]
        by_id = {row.id: row for row in self.conversations.rows.values()}
        pairs = [(self.conversations.rows[o["conversation"]].id, o["sequence"]) for o in wanted if o["conversation"] in self.conversations.rows]
        rows = self.messages.load(
            "(conversation_id, sequence) IN (SELECT * FROM unnest(%s::int[], %s::int[]))",
            ([pair[0] for pair in pairs], [pair[1] for pair in pairs]),
        )
        self.messages.rows = {(by_id[row["conversation_id"]], row["sequence"]): row for row in rows}

    # What may be missing

    def _channel(self, operation):
        channel = self.channels.get(operation["channel"])
        if not channel:
            raise Refusal(_("The chat does not exist any more."))
        return channel

    def _conversation(self, operation):
        row = self.conversations.rows.get(operation["conversation"])
        if not row:
            raise Refusal(_("The conversation does not exist any more."))
        return row

    def _step(self, operation):
        """Return the step's id; one that was deleted under a running dialog is left empty."""
        return operation["step"] if operation["step"] in self.steps else None

    def _sender(self, channel, user):
        """Return the sender's row, a bare one for somebody who was deleted in Odoo meanwhile."""
        key = (channel["messenger"], user)
        nobody = dict.fromkeys(("partner_id", "person_id", "name", *PROFILE))
        return self.senders.rows.get(key) or self.senders.add(key, dict(nobody, messenger_id=key[0], user_ref=user))

    def _membership(self, channel, sender, at):
        key = (sender, channel["id"])
        return self.memberships.rows.get(key) or self.memberships.add(
            key, {"sender_id": sender, "channel_id": channel["id"], "blocked": False, "first_seen": at}
        )

    # One method for each type of operation

    def _do_sender(self, operation):
        channel = self._channel(operation)
        sender = self._sender(channel, operation["user"])
        sender.set(**{name: operation[name] for name in PROFILE})
        self._membership(channel, sender, operation["at"])
        if channel["create_partner"] and not sender["partner_id"] and sender not in self.wishes:
            installed = [code for code, _name in self.env["res.lang"].get_installed()]
            language = contacts.language_of(installed, operation["language_code"], channel["language"])
            self.wishes[sender] = {"company": channel["company"], "lang": language}
        return {"sender": sender}

    def _do_conversation_open(self, operation):
        channel = self._channel(operation)
        known = self.conversations.rows.get(operation["conversation"])
        if known:
            return {"conversation": known}
        sender = self._sender(channel, operation["user"])
        self._membership(channel, sender, operation["at"])
        place = (channel["id"], operation["chat"])
        if place in self.open:
            self._end(self.open[place], "restart", operation["at"])
        row = self.conversations.add(
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
        self.open[place] = row
        return {"conversation": row}

    def _do_message(self, operation):
        conversation = self._conversation(operation)
        key = (conversation, operation["sequence"])
        if key in self.messages.rows:
            raise Refusal(_("The conversation has a message number %d already.") % operation["sequence"])
        conversation.set(last_activity=max(conversation["last_activity"], operation["at"]))
        values = {name: operation[name] for name in ("sequence", "author", "kind", "telegram_message", "at")}
        values.update(body=clean(operation["body"]), conversation_id=conversation, step_id=self._step(operation), state="sent", failure_reason=None)
        return {"message": self.messages.add(key, values)}

    def _do_message_failed(self, operation):
        row = self.messages.rows.get((self._conversation(operation), operation["sequence"]))
        if not row or row["author"] != "bot":
            raise Refusal(_("The conversation has no message of the bot with the number %d.") % operation["sequence"])
        row.set(state="failed", failure_reason=operation["reason"])
        return {}

    def _do_conversation_state(self, operation):
        state = json.dumps(operation["state"], ensure_ascii=False)
        self._conversation(operation).set(step_id=self._step(operation), dialog_state=state)
        return {}

    def _do_conversation_close(self, operation):
        self._end(self._conversation(operation), operation["reason"], operation["at"])
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
        self.open.pop((conversation["channel_id"], conversation["chat_ref"]), None)

    # Writing: what is ended first, for only one conversation may be open in a chat

    def _write(self):
        self._write_senders()
        self.memberships.insert()
        self.memberships.update(["blocked"])
        self.conversations.update(["state", "ended_reason", "ended_at", "last_activity", "step_id", "dialog_state"])
        self.conversations.insert_by_sql()
        self.messages.insert_by_sql()
        self.messages.update(["state", "failure_reason"])
        compat.invalidate_all(self.env)

    def _write_senders(self):
        wishes = [dict(wish, name=contacts.profile_name(sender.values)) for sender, wish in self.wishes.items()]
        for sender, (account, person) in zip(self.wishes, contacts.make_contacts(self.env, wishes)):
            sender.set(partner_id=account, person_id=person)
        for sender in self.senders.rows.values():
            name = contacts.profile_name(sender.values)
            if sender.id is not None and sender.changed:
                self._update_sender(sender, sender["name"], name)
            sender.values["name"] = name
        self.senders.insert()

    def _update_sender(self, sender, old_name, new_name):
        """Write a changed profile; this is rare, so one by one."""
        record = self.senders.model.browse(sender.id)
        record.write({name: sender[name] for name in sender.changed})
        if old_name != new_name:
            record.name = new_name
            contacts.rename_contacts(self.env, record, old_name, new_name)


