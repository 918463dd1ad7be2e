"""What the tests share: a bridge that has shaken hands, users of each level, and short ways to call."""

import uuid
from unittest.mock import patch

from odoo import fields
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


#: What a consultation does in Discuss, by method; the tests of consultations note the calls.
IN_DISCUSS = ("open", "relay", "close", "hand_over", "delivery", "action")


class ConsultationCase(BridgeCase):
    """A client chat whose step leads to the shipped operator chat; `Discuss` is noted beside being done."""

    def setUp(self):
        super().setUp()
        self.desk = self.env.ref("chatbridge.bot_operator")
        self.step_to_operator = self.env["chatbridge.step"].create(
            {"bot_id": self.bot.id, "kind": "operator", "operator_bot_id": self.desk.id}
        )
        self.connect()
        self.in_discuss = []
        for name in IN_DISCUSS:
            self.note_calls("_discuss_" + name)

    def note_calls(self, name):
        """Have the calls of a method noted, with the key of the consultation."""
        model = type(self.env["chatbridge.consultation"])
        method = getattr(model, name)

        def noted(records, *args, **kwargs):
            key = records.sudo().key if records else None
            self.in_discuss.append((name, key) + args)
            try:
                return method(records, *args, **kwargs)
            except NotImplementedError:
                return None

        patcher = patch.object(model, name, noted)
        patcher.start()
        self.addCleanup(patcher.stop)

    def discussed(self, name):
        """Return the arguments of a method's calls so far, and forget these."""
        calls = [call[1:] for call in self.in_discuss if call[0] == "_discuss_" + name]
        self.in_discuss = [call for call in self.in_discuss if call[0] != "_discuss_" + name]
        return calls

    # Operators

    def person(self, login, **values):
        """Return an internal user who may be an operator."""
        context = {"no_reset_password": True}
        values = dict({"name": login.title()}, **values)
        return new_test_user(self.env, login, "chatbridge.group_operator", context=context, **values)

    def come(self, user):
        """Have a user be active in Odoo."""
        model = "mail.presence" if "mail.presence" in self.env else "bus.presence"
        presence = self.env[model].sudo().search([("user_id", "=", user.id)]) or self.env[model].sudo().create(
            {"user_id": user.id}
        )
        now = fields.Datetime.now()
        presence.write({"status": "online", "last_poll": now, "last_presence": now})
        compat.invalidate_all(self.env)

    def go_away(self, user):
        """Have a user be active in Odoo no more."""
        model = "mail.presence" if "mail.presence" in self.env else "bus.presence"
        long_ago = fields.Datetime.to_datetime("2020-01-01 00:00:00")
        self.env[model].sudo().search([("user_id", "=", user.id)]).write({"status": "offline", "last_poll": long_ago})
        compat.invalidate_all(self.env)

    def operator(self, login, **values):
        """Return a user who has joined the operator chat and is there."""
        user = self.person(login, **values)
        self.come(user)
        self.desk.with_user(user).action_join()
        return user

    def slots(self):
        """Return ``{login: open chats}``, having checked that the figures are true."""
        compat.invalidate_all(self.env)
        result = {}
        for operator in self.desk.operator_ids:
            running = [("operator_id", "=", operator.id), ("state", "=", "assigned")]
            self.assertEqual(operator.open_count, self.env["chatbridge.consultation"].search_count(running))
            result[operator.user_id.login] = operator.open_count
        return result

    # Customers

    def request(self, number, **fields_):
        """Return a `consultation.request` operation of a customer."""
        values = {
            "conversation": "conversation-%s" % number,
            "consultation": "consultation-%s" % number,
            "operator_bot": self.desk.id,
            "step": self.step_to_operator.id,
            "wait": False,
        }
        return self.operation("consultation.request", **dict(values, **fields_))

    def end(self, number, reason="customer"):
        """Return a `consultation.end` operation."""
        return self.operation(
            "consultation.end",
            conversation="conversation-%s" % number,
            consultation="consultation-%s" % number,
            reason=reason,
        )

    def ask_for_operator(self, *numbers, **fields_):
        """Have customers write and ask for an operator."""
        for number in numbers:
            user = str(number)
            answers = self.apply(
                self.sender(user, first_name="Customer", last_name=user, username=None),
                self.opening("conversation-%s" % number, user),
                self.message(1, "conversation-%s" % number),
                self.request(number, **fields_),
            )
            self.assertEqual(["ok" in answer for answer in answers], [True] * 4, answers)
        return self.consultation(numbers[-1])

    def consultation(self, number):
        """Return a consultation by the number of its customer."""
        return self.env["chatbridge.consultation"].search([("key", "=", "consultation-%s" % number)])

    def states(self, *numbers):
        """Return the states of consultations."""
        return [self.consultation(number).state for number in numbers]

    def events(self, *names):
        """Return ``(kind, payload)`` of the events about chats so far, without what all have, and forget these."""
        self.flush()
        events = self.bridge.events(self.claim, 500)
        self.bridge.done(self.claim, [event["id"] for event in events])
        return [
            (event["kind"], {name: event["payload"][name] for name in names if name in event["payload"]})
            for event in events
            if event["kind"] != "configuration"
        ]
