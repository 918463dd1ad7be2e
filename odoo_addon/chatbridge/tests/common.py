"""What the tests share: a bridge that has shaken hands, users of each level, and short ways to call."""

import uuid

from odoo.tests import TransactionCase, new_test_user

from .. import compat

TOKEN = "123456789:AAEhBOweik9ai2o01Ppdjk3rAmj-ioTesty"


def hello(**changes):
    """Return a bridge's first words."""
    words = {
        "protocol": 2,
        "bridge_version": "0.1.0",
        "instance": "01JDA0000000000000INSTANCE",
        "store_id": "01JDA000000000000000STORE1",
        "database_uuid": None,
        "nonce": None,
        "nudge_url": None,
        "nudge_secret": "00ff" * 8,
        "clock": "2026-11-22T19:00:00.123456Z",
    }
    words.update(changes)
    return words


class BridgeCase(TransactionCase):
    """A database that a bridge serves, with a Telegram chat at the shipped client chat."""

    def setUp(self):
        super().setUp()
        self.bridge_user = self.env.ref("chatbridge.user_bridge")
        self.bridge = self.env["chatbridge.bridge"].with_user(self.bridge_user)
        self.bot = self.env.ref("chatbridge.bot_client")
        self.telegram = self.env.ref("chatbridge.messenger_telegram")
        self.telegram.action_activate()
        self.channel = self.env["chatbridge.channel"].create(
            {"name": "Shop", "bot_id": self.bot.id, "messenger_id": self.telegram.id, "token": TOKEN}
        )
        self.step = self.env.ref("chatbridge.step_welcome")
        self.flush()

    def flush(self):
        """Do what a commit does before it commits."""
        compat.flush(self.env)

    def connect(self, **changes):
        """Shake hands and keep the claim."""
        answer = self.bridge.handshake(hello(**changes))
        self.claim = {"store_id": changes.get("store_id", hello()["store_id"]), "generation": answer["generation"]}
        return answer

    def operation(self, type_, **fields):
        """Return an operation with a key and a time of its own."""
        return dict({"key": uuid.uuid4().hex[:26], "type": type_, "at": "2026-11-22T19:00:00Z"}, **fields)

    def sender(self, user="77", **fields):
        """Return a `sender` operation."""
        profile = {"first_name": "Anna", "last_name": "Koval", "username": "anna", "language_code": "uk"}
        return self.operation("sender", channel=self.channel.id, user=user, chat=user, **dict(profile, **fields))

    def opening(self, key="conversation-1", user="77", **fields):
        """Return a `conversation.open` operation."""
        return self.operation(
            "conversation.open",
            **dict({"conversation": key, "channel": self.channel.id, "user": user, "chat": user}, **fields),
        )

    def message(self, sequence, key="conversation-1", **fields):
        """Return a `message` operation."""
        values = {"author": "customer", "kind": "text", "body": "<p>Hello</p>", "step": None, "telegram_message": "5"}
        return self.operation("message", conversation=key, sequence=sequence, **dict(values, **fields))

    def apply(self, *operations):
        """Have operations carried out; return their answers without the keys."""
        answers = self.bridge.apply(self.claim, list(operations))
        self.assertEqual([answer.pop("key") for answer in answers], [operation["key"] for operation in operations])
        return answers

    def conversation(self, key="conversation-1"):
        """Return a conversation by the bridge's key."""
        return self.env["chatbridge.conversation"].search([("key", "=", key)])

    def take_events(self):
        """Return the bots of all configuration events so far, and forget these."""
        self.flush()
        events = self.bridge.events(self.claim, 500, ["configuration"])
        self.bridge.done(self.claim, [event["id"] for event in events])
        return [event["payload"]["bots"] for event in events]

    def user(self, level):
        """Return a user of a level of ours, or a plain internal one."""
        groups = "base.group_user" if level == "internal" else "chatbridge.group_%s" % level
        login = "chatbridge_test_%s" % level
        return self.env["res.users"].search([("login", "=", login)]) or new_test_user(
            self.env, login, groups, context={"no_reset_password": True}
        )
