"""What a batch touches: read in a few queries before the walk, written in a few after it."""

from .. import compat
from . import contacts
from .rows import Table

PROFILE = ("first_name", "last_name", "username", "language_code")

SENDER = dict.fromkeys(["user_ref", "name", *PROFILE], "text")
SENDER.update(dict.fromkeys(["messenger_id", "partner_id", "person_id"], "int"))
MEMBERSHIP = dict.fromkeys(["sender_id", "channel_id", "bot_id"], "int")
MEMBERSHIP.update(blocked="bool", approval="text", first_seen="timestamp")
CONVERSATION = dict.fromkeys(["key", "chat_ref", "state", "ended_reason", "dialog_state"], "text")
CONVERSATION.update(dict.fromkeys(["channel_id", "bot_id", "sender_id", "step_id"], "int"))
CONVERSATION.update(dict.fromkeys(["opened_at", "last_activity", "ended_at"], "timestamp"))
MESSAGE = dict.fromkeys(["author", "kind", "body", "telegram_message", "state", "failure_reason"], "text")
MESSAGE.update(dict.fromkeys(["conversation_id", "sequence", "step_id"], "int"), at="timestamp")
MESSAGE.update(dict.fromkeys(["consultation_id", "discuss_message_id"], "int"))
CONSULTATION = dict.fromkeys(["key", "state"], "text")
CONSULTATION.update(dict.fromkeys(["conversation_id", "bot_id", "step_id", "posted_sequence"], "int"))
CONSULTATION.update(wait="bool", joined="bool", requested_at="timestamp")


class State:
    """The rows of a batch, as the database holds them and as the batch changes them."""

    def __init__(self, env):
        self.env = env
        self.senders = Table(env["chatbridge.sender"], SENDER)
        self.memberships = Table(env["chatbridge.membership"], MEMBERSHIP)
        self.conversations = Table(env["chatbridge.conversation"], CONVERSATION)
        self.messages = Table(env["chatbridge.message"], MESSAGE)
        self.consultations = Table(env["chatbridge.consultation"], CONSULTATION)
        self.channels = {}
        self.steps = set()
        self.operator_bots = set()
        self.discuss_messages = set()
        #: Channels and chats in which a consultation runs.
        self.busy = set()
        #: The open conversation of each channel and chat.
        self.open = {}
        #: Senders that get contacts, with how these are to be made.
        self.wishes = {}

    def load(self, operations):
        """Read everything that the operations name."""

        def named(name):
            return sorted({operation[name] for operation in operations if operation.get(name) is not None})

        self._load_channels(named("channel"))
        self._load_senders(named("user"))
        self._load_conversations(operations, named("conversation"))
        self._load_messages(operations)
        self.steps = self._existing("chatbridge_step", "true", named("step"))
        self.operator_bots = self._existing("chatbridge_bot", "kind = 'operator'", named("operator_bot"))
        self._load_consultations(operations, named("consultation"))
        # Only messages in Discuss: the bridge has no say in what else people write in Odoo.
        condition = "model = '%s'" % compat.DISCUSS_CHANNEL_MODEL
        self.discuss_messages = self._existing("mail_message", condition, named("discuss_message"))

    def _existing(self, table, condition, ids):
        """Return which of these rows there are."""
        if not ids:
            return set()
        self.env.cr.execute("SELECT id FROM %s WHERE id = ANY(%%s) AND %s" % (table, condition), (ids,))
        return {id_ for (id_,) in self.env.cr.fetchall()}

    def _load_channels(self, ids):
        self.env.cr.execute(
            "SELECT c.id, c.bot_id, c.messenger_id, b.create_partner, b.company_id, b.language, b.kind"
            "  FROM chatbridge_channel c JOIN chatbridge_bot b ON b.id = c.bot_id WHERE c.id = ANY(%s)",
            (ids,),
        )
        names = ("id", "bot", "messenger", "create_partner", "company", "language", "kind")
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
            "key = ANY(%s) OR state = 'active' AND (channel_id, chat_ref) IN (SELECT * FROM unnest(%s::int[],"
            " %s::text[]))",
            (keys, [operation["channel"] for operation in opened], [operation["chat"] for operation in opened]),
        )
        self.conversations.rows = {row["key"]: row for row in rows}
        self.open = {(row["channel_id"], row["chat_ref"]): row for row in rows if row["state"] == "active"}

    def _load_messages(self, operations):
        types = ("message", "message.sent", "message.failed")
        wanted = [operation for operation in operations if operation["type"] in types]
        by_id = {row.id: row for row in self.conversations.rows.values()}
        pairs = [
            (self.conversations.rows[o["conversation"]].id, o["sequence"])
            for o in wanted
            if o["conversation"] in self.conversations.rows
        ]
        rows = self.messages.load(
            "(conversation_id, sequence) IN (SELECT * FROM unnest(%s::int[], %s::int[]))",
            ([pair[0] for pair in pairs], [pair[1] for pair in pairs]),
        )
        self.messages.rows = {(by_id[row["conversation_id"]], row["sequence"]): row for row in rows}

    def _load_consultations(self, operations, keys):
        if keys:
            self.consultations.rows = {row["key"]: row for row in self.consultations.load("key = ANY(%s)", (keys,))}
        types = ("conversation.open", "conversation.close", "consultation.end")
        if not any(operation["type"] in types for operation in operations):
            return
        opened = [operation for operation in operations if operation["type"] == "conversation.open"]
        places = {(operation["channel"], operation["chat"]) for operation in opened}
        places.update((row["channel_id"], row["chat_ref"]) for row in self.conversations.rows.values())
        # First the few consultations that run, then whether they are in one of these chats.
        self.env.cr.execute(
            "SELECT c.channel_id, c.chat_ref FROM chatbridge_consultation n"
            "  JOIN chatbridge_conversation c ON c.id = n.conversation_id"
            " WHERE n.state IN ('queued', 'assigned') AND (c.channel_id, c.chat_ref) IN"
            " (SELECT * FROM unnest(%s::int[], %s::text[]))",
            ([place[0] for place in places], [place[1] for place in places]),
        )
        self.busy = set(self.env.cr.fetchall())

    # Writing: what is ended first, for only one conversation may be open in a chat

    def write(self):
        """Write what has changed."""
        self._write_senders()
        self.memberships.insert()
        self.memberships.update(["blocked", "approval"])
        self.conversations.update(["state", "ended_reason", "ended_at", "last_activity", "step_id", "dialog_state"])
        self.conversations.insert()
        self.consultations.insert()
        self.messages.insert()
        self.messages.update(["state", "failure_reason", "telegram_message"])
        compat.invalidate_all(self.env)

    def _write_senders(self):
        wishes = [dict(wish, name=contacts.profile_name(sender.values)) for sender, wish in self.wishes.items()]
        for sender, made in zip(self.wishes, contacts.make_contacts(self.env, wishes)):
            # Where none could be made, the next `sender` operation tries again.
            if made:
                sender.set(partner_id=made[0], person_id=made[1])
        renamed = []
        for sender in self.senders.rows.values():
            name = contacts.profile_name(sender.values)
            if sender.id is not None and sender.changed and sender["name"] != name:
                renamed.append((sender["partner_id"], sender["person_id"], sender["name"], name))
            sender.set(name=name)
        self.senders.update(["name", *PROFILE, "partner_id", "person_id"])
        self.senders.insert()
        for account, person, old_name, new_name in renamed:
            contacts.rename_contacts(self.env, account, person, old_name, new_name)
