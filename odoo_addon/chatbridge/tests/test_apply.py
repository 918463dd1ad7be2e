import json
import logging
import random
import re
import time
from datetime import timedelta
from unittest.mock import patch

import psycopg2

from odoo import fields
from odoo.exceptions import ValidationError
from odoo.tests import tagged
from odoo.tools import mute_logger

from .. import compat
from ..exceptions import TryAgain
from ..rpc.batch import Batch, clean
from ..rpc.state import State
from .common import BridgeCase


@tagged("post_install", "-at_install")
class TestApply(BridgeCase):
    """Batches of operations: what they do, once for each key, in order, whatever fails."""

    def setUp(self):
        super().setUp()
        self.connect()

    def counted(self, model):
        return self.env[model].search_count([])

    def test_a_conversation_from_the_first_message(self):  # LOG-1
        answers = self.apply(
            self.sender(), self.opening(), self.message(1), self.message(2, author="bot", step=self.step.id)
        )
        conversation = self.conversation()
        self.assertEqual(answers[1], {"ok": {"conversation": conversation.id}})
        self.assertEqual(conversation.message_ids.ids, [answers[2]["ok"]["message"], answers[3]["ok"]["message"]])
        self.assertEqual(conversation.sender_id.id, answers[0]["ok"]["sender"])
        self.assertEqual((conversation.bot_id, conversation.state), (self.bot, "active"))
        self.assertEqual(conversation.message_ids[1].step_id, self.step)
        self.assertTrue(conversation.code)
        self.assertIn("Hello", conversation.transcript)

    def test_first_message_makes_person_and_account(self):  # DOC-4
        self.apply(self.sender())
        sender = self.env["chatbridge.sender"].search([("user_ref", "=", "77")])
        self.assertEqual(sender.person_id.name, "Anna Koval")
        self.assertEqual(sender.partner_id.name, "Telegram:Anna Koval")
        self.assertEqual(sender.partner_id.parent_id, sender.person_id)
        self.assertFalse(sender.person_id.parent_id)

    def test_prefix_is_a_setting(self):  # OP-6, DOC-4
        self.env["ir.config_parameter"].set_param("chatbridge.name_prefix", "TG ")
        self.apply(self.sender())
        self.assertTrue(self.env["res.partner"].search([("name", "=", "TG Anna Koval")]))

    def test_contacts_follow_the_profile_until_somebody_edits_them(self):  # DOC-4
        self.apply(self.sender())
        sender = self.env["chatbridge.sender"].search([("user_ref", "=", "77")])
        self.apply(self.sender(last_name="Shevchenko"))
        self.assertEqual(sender.person_id.name, "Anna Shevchenko")
        self.assertEqual(sender.partner_id.name, "Telegram:Anna Shevchenko")
        sender.person_id.name = "Mrs. Shevchenko"
        self.apply(self.sender(last_name="Bondar"))
        self.assertEqual(sender.person_id.name, "Mrs. Shevchenko")
        self.assertEqual((sender.name, sender.partner_id.name), ("Anna Bondar", "Telegram:Anna Bondar"))

    def test_no_contact_without_create_partner(self):  # B-4
        self.bot.create_partner = False
        before = self.counted("res.partner")
        self.apply(self.sender(), self.opening(), self.message(1))
        self.assertEqual(self.counted("res.partner"), before)
        conversation = self.conversation()
        self.assertEqual(conversation.sender_id.display_name, "Anna Koval")
        self.assertFalse(conversation.partner_id)

    def test_names_of_profiles_without_a_name(self):  # B-4
        self.bot.create_partner = False
        nameless = {"first_name": None, "last_name": "", "language_code": None}
        self.apply(self.sender(**nameless), self.sender("78", username=None, **nameless))
        self.assertEqual(
            self.env["chatbridge.sender"].search([("user_ref", "in", ["77", "78"])]).mapped("name"), ["78", "@anna"]
        )

    def test_without_the_contact_that_a_database_refuses(self):  # B-4, DOC-4
        partners = type(self.env["res.partner"])
        validate = partners._validate_fields

        def constraint(records, *args, **kwargs):
            if any("Koval" in (record.name or "") for record in records):
                raise ValidationError("Needs a tax number: %s" % records.mapped("name"))
            return validate(records, *args, **kwargs)

        others = {"last_name": "Bondar"}
        with patch.object(partners, "_validate_fields", constraint), self.assertLogs("odoo", "WARNING") as logs:
            answers = self.apply(self.sender(), self.opening(), self.message(1), self.sender("78", **others))
        self.assertEqual(["ok" in answer for answer in answers], [True] * 4)
        self.assertNotIn("Koval", " ".join(logs.output))
        sender = self.conversation().sender_id
        self.assertEqual((sender.name, sender.partner_id.id, sender.person_id.id), ("Anna Koval", False, False))
        other = self.env["chatbridge.sender"].search([("user_ref", "=", "78")])
        self.assertEqual(other.partner_id.name, "Telegram:Anna Bondar")
        # The next one tries again; a new name that is refused is no obstacle either.
        self.apply(self.sender())
        self.assertEqual(sender.partner_id.name, "Telegram:Anna Koval")
        with patch.object(partners, "_validate_fields", constraint), self.assertLogs("odoo", "WARNING"):
            self.assertIn("ok", self.apply(self.sender("78", last_name="Koval"))[0])
        self.assertEqual((other.name, other.person_id.name), ("Anna Koval", "Anna Bondar"))

    def test_refused_contacts_are_not_logged_by_name(self):
        self.forbid("res_partner", "name NOT LIKE '%Koval%'")
        with self.assertLogs("odoo", "WARNING") as logs:
            self.assertIn("ok", self.apply(self.sender())[0])
        self.assertNotIn("Koval", " ".join(logs.output))

    def test_trouble_while_contacts_are_made_fails_the_call(self):
        for trouble in (psycopg2.errors.DiskFull, psycopg2.errors.SerializationFailure, MemoryError):
            with patch.object(type(self.env["res.partner"]), "create", side_effect=trouble("Trouble")):
                with self.assertRaises(trouble), self.env.cr.savepoint():
                    self.apply(self.sender())

    def test_contact_is_made_later_when_another_bot_wants_one(self):  # B-4
        self.bot.create_partner = False
        self.apply(self.sender())
        self.bot.create_partner = True
        self.apply(self.sender())
        self.assertTrue(self.env["chatbridge.sender"].search([("user_ref", "=", "77")]).person_id)

    def test_same_key_again_gets_the_first_answer(self):
        batch = [self.sender(), self.opening(), self.message(1), self.message(1)]
        first = self.bridge.apply(self.claim, batch)
        self.assertIn("refused", first[3])
        before = self.counted("chatbridge.message"), self.counted("res.partner")
        self.assertEqual(self.bridge.apply(self.claim, batch), first)
        self.assertEqual((self.counted("chatbridge.message"), self.counted("res.partner")), before)

    def test_same_key_twice_in_one_batch(self):
        message = self.message(1)
        answers = self.apply(self.sender(), self.opening(), message, message)
        self.assertEqual(answers[2], answers[3])
        self.assertEqual(len(self.conversation().message_ids), 1)

    def forbid(self, table, condition):
        """Have the database itself refuse some rows, as a customised one does."""
        self.env.cr.execute("ALTER TABLE %s ADD CONSTRAINT chatbridge_test CHECK (%s)" % (table, condition))

    def test_what_people_wrote_is_not_logged(self):
        self.apply(self.sender(), self.opening())
        self.forbid("chatbridge_message", "telegram_message <> 'bad'")
        with self.assertLogs("odoo", "INFO") as logs:
            self.apply(self.message(1, body="my secret", telegram_message="bad"))
        self.assertNotIn("my secret", " ".join(logs.output))

    @mute_logger("odoo.addons.chatbridge.models.chatbridge_bridge")
    def test_one_bad_among_good(self):
        self.forbid("chatbridge_message", "telegram_message <> 'bad'")
        batch = [
            self.sender(),
            self.opening(),
            self.message(1),
            self.message(2, telegram_message="bad"),
            self.message(3),
        ]
        answers = self.apply(*batch)
        self.assertEqual(["ok" in answer for answer in answers], [True, True, True, False, True])
        self.assertTrue(answers[3]["refused"])
        self.assertEqual(self.conversation().message_ids.mapped("sequence"), [1, 3])

    def test_what_cannot_be_stored_is_refused_alone(self):
        state = {"step": None, "state": {"x": "\ud800"}}
        answers = self.apply(
            self.sender(),
            self.opening(),
            self.message(1, telegram_message="\x00"),
            self.message(2, body="a\x00b"),
            self.operation("conversation.state", conversation="conversation-1", **state),
            self.operation("dan\x00ce"),
            self.message(3),
        )
        self.assertEqual(["ok" in answer for answer in answers], [True, True, False, False, False, False, True])

    def test_trouble_of_the_moment_is_never_a_refusal(self):
        troubles = [
            psycopg2.errors.DiskFull,
            psycopg2.errors.QueryCanceled,
            psycopg2.errors.OutOfMemory,
            psycopg2.errors.ReadOnlySqlTransaction,
            psycopg2.errors.LockNotAvailable,
            psycopg2.OperationalError,
            psycopg2.InterfaceError,
            MemoryError,
            KeyError,
            # What Odoo's limit of CPU time raises.
            Exception,
            *compat.PASSING_EXCEPTIONS,
        ]
        batch = [self.sender(), self.opening(), self.message(1)]
        for trouble in troubles:
            with patch.object(State, "write", side_effect=trouble("Trouble")):
                for operations in (batch, batch[:1]):
                    with self.assertRaises(trouble, msg=trouble), self.env.cr.savepoint():
                        self.bridge.apply(self.claim, operations)
        self.assertFalse(self.counted("chatbridge.operation"))
        self.assertEqual(["ok" in answer for answer in self.apply(*batch)], [True] * 3)

    def test_what_was_deleted_or_written_meanwhile_is_tried_again(self):
        self.apply(self.sender(), self.opening())

        def blind(state, operations):
            """Load what another call's snapshot would show: not the sender, but a step that is gone."""
            State._load_channels(state, [self.channel.id])
            state.steps = {999999}
            if operations[0]["type"] == "message":
                state._load_conversations([], ["conversation-1"])

        with patch.object(State, "load", blind), self.assertLogs("odoo", "WARNING") as logs:
            logging.getLogger("odoo.test").warning("so that there is something")
            for operation in (self.sender(), self.message(1, step=999999)):
                with self.assertRaises(TryAgain), self.env.cr.savepoint():
                    self.bridge.apply(self.claim, [operation])
        self.assertEqual(len(logs.output), 1, logs.output)

    def test_malformed_operations_are_refused_alone(self):
        answers = self.apply(
            self.sender(),
            self.opening(),
            self.message(1, colour="red"),
            self.operation("dance"),
            self.message(2, author="cat"),
            self.message(3),
        )
        self.assertEqual(["ok" in answer for answer in answers], [True, True, False, False, False, True])
        self.assertIn("colour", answers[2]["refused"])

    def test_what_is_gone(self):
        channel = self.opening(channel=999999)
        answers = self.apply(
            self.sender(), self.opening(), channel, self.message(1, key="nowhere"), self.message(1, step=999999)
        )
        self.assertEqual(["ok" in answer for answer in answers], [True, True, False, False, True])
        self.assertEqual([answer.get("missing") for answer in answers], [None, None, "channel", "conversation", None])
        self.assertFalse(self.conversation().message_ids.step_id)

    def test_what_is_missing_is_said_by_each_type_and_each_time(self):
        gone = {"conversation": "nowhere"}
        batch = [
            dict(self.sender(), channel=999999),
            self.operation("membership", channel=999999, user="77", blocked=True),
            self.operation("message.failed", sequence=1, reason="x", **gone),
            self.operation("conversation.state", step=None, state={}, **gone),
            self.operation("conversation.close", reason="silence", **gone),
        ]
        for _time in range(2):
            self.assertEqual(
                [answer.get("missing") for answer in self.apply(*batch)], ["channel"] * 2 + ["conversation"] * 3
            )
        self.apply(self.sender(), self.opening(), self.message(1))
        self.assertNotIn("missing", self.apply(self.message(1))[0])

    def test_opening_again_ends_the_open_one(self):
        self.apply(self.sender(), self.opening(), self.opening("conversation-2"))
        self.assertEqual((self.conversation().state, self.conversation().ended_reason), ("ended", "restart"))
        self.assertEqual(self.conversation("conversation-2").state, "active")

    def test_close_and_open_in_one_batch(self):
        self.apply(self.sender(), self.opening())
        self.apply(
            self.operation("conversation.close", conversation="conversation-1", reason="blocked"),
            self.opening("conversation-2"),
            self.operation("conversation.close", conversation="conversation-2", reason="silence"),
            self.opening("conversation-3"),
            self.operation("conversation.close", conversation="conversation-1", reason="silence"),
        )
        keys = ["conversation-1", "conversation-2", "conversation-3"]
        self.assertEqual([self.conversation(key).ended_reason for key in keys], ["blocked", "silence", False])
        self.assertEqual([self.conversation(key).state for key in keys], ["ended", "ended", "active"])

    def test_message_that_was_not_delivered(self):  # LOG-1
        self.apply(self.sender(), self.opening(), self.message(1, author="bot"), self.message(2))
        failed = [
            self.operation("message.failed", conversation="conversation-1", sequence=n, reason="Blocked")
            for n in (1, 2, 3)
        ]
        self.assertEqual(["ok" in answer for answer in self.apply(*failed)], [True, False, False])
        self.assertEqual(self.conversation().message_ids.mapped("state"), ["failed", "sent"])
        self.assertIn("Blocked", self.conversation().transcript)

    def test_state_is_kept_and_given_back(self):
        state = {"step": self.step.id, "vars": {"city": "Львів"}}
        self.apply(
            self.sender(),
            self.opening(),
            self.message(4),
            self.operation("conversation.state", conversation="conversation-1", step=self.step.id, state=state),
        )
        question = {"id": "q", "type": "conversation", "channel": self.channel.id, "user": "77"}
        answer = self.bridge.ask(self.claim, [question, dict(question, user="78"), {"id": "z", "type": "weather"}])
        self.assertEqual(
            answer[0]["answer"],
            {
                "conversation": "conversation-1",
                "step": self.step.id,
                "state": state,
                "sequence": 4,
                "at": "2026-11-22T19:00:00Z",
                "consultation": None,
            },
        )
        self.assertIsNone(answer[1]["answer"])
        self.assertIn("refused", answer[2])

    def test_blocked_membership(self):
        self.apply(self.sender(), self.operation("membership", channel=self.channel.id, user="77", blocked=True))
        sender = self.env["chatbridge.sender"].search([("user_ref", "=", "77")])
        self.assertTrue(sender.blocked)
        self.assertIn(sender, self.env["chatbridge.sender"].search([("blocked", "=", True)]))
        self.apply(self.operation("membership", channel=self.channel.id, user="77", blocked=False))
        self.assertFalse(sender.blocked)

    def test_bodies_are_sanitised(self):
        self.apply(
            self.sender(), self.opening(), self.message(1, body='<p onclick="x()">Hi<script>alert(1)</script></p>')
        )
        self.assertNotIn("script", self.conversation().message_ids.body)
        self.assertNotIn("onclick", self.conversation().message_ids.body)

    def test_escaped_texts_stay_as_they_are(self):  # LOG-1
        texts = [
            "https://shop.example/?a=1&amp;b=x%20y%24%7Bz%7D",
            "&lt;% if x %&gt;<br/>&quot;it&#39;s&#x27;&quot;<br>1 &lt; 2<br />",
            "&lt;script&gt;alert(1)&lt;/script&gt;",
        ]
        self.apply(self.sender(), self.opening(), *[self.message(n, body=body) for n, body in enumerate(texts, 1)])
        self.assertEqual([str(body) for body in self.stored_bodies()], ["<p>%s</p>" % body for body in texts])

    def test_whatever_has_markup_is_sanitised(self):
        tricks = [
            "<br onclick=alert(1)>",
            "<br/ onclick=alert(1)>",
            "&amp;<script>alert(1)</script>",
            "<br\n><img src=x onerror=alert(1)>",
            "<<br>script>alert(1)</script>",
        ]
        self.apply(self.sender(), self.opening(), *[self.message(n, body=body) for n, body in enumerate(tricks, 1)])
        for body in self.stored_bodies():
            self.assertNotIn("<script", body)
            self.assertFalse(re.search(r"<[^>]*\bon\w+=", body), body)

    def stored_bodies(self):
        self.env.cr.execute("SELECT body FROM chatbridge_message ORDER BY sequence")
        return [body for (body,) in self.env.cr.fetchall()]

    def test_clean_takes_linear_time(self):
        start = time.monotonic()
        clean("a&amp;<br/>" * 20000 + "&")
        clean("a" * 200000 + "<")
        self.assertLess(time.monotonic() - start, 5)

    # The book of keys

    def test_old_keys_are_forgotten(self):
        self.apply(self.sender(), self.opening())
        old = self.env["chatbridge.operation"].search([], limit=1)
        limit = fields.Datetime.now() - timedelta(days=30)
        self.env.cr.execute("UPDATE chatbridge_operation SET created = %s", (limit + timedelta(hours=1),))
        self.env.cr.execute(
            "UPDATE chatbridge_operation SET created = %s WHERE id = %s", (limit - timedelta(hours=1), old.id)
        )
        compat.invalidate_all(self.env)
        cron = self.env.ref("chatbridge.cron_forget_operations")
        self.assertTrue(cron.active)
        cron.ir_actions_server_id.with_user(cron.user_id).run()
        self.assertFalse(old.exists())
        self.assertEqual(self.counted("chatbridge.operation"), 1)

    def test_keys_and_their_age_are_indexed(self):
        for column, unique in (("key", True), ("created", False)):
            self.env.cr.execute(
                "SELECT count(*) FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]"
                " WHERE i.indrelid = 'chatbridge_operation'::regclass AND a.attname = %s AND i.indisunique = %s",
                (column, unique),
            )
            self.assertEqual(self.env.cr.fetchone(), (1,), column)

    def test_a_large_batch_costs_few_queries(self):
        self.apply(self.sender(), self.opening())
        batch = [self.message(n) for n in range(1, 499)]
        self.flush()
        before = self.env.cr.sql_log_count
        self.apply(*batch)
        self.flush()
        self.assertLess(self.env.cr.sql_log_count - before, 40)

    # Bulk is the same as one by one

    def test_bulk_equals_one_by_one(self):
        for seed in range(12):
            batch = self.random_batch(random.Random(seed))
            in_bulk = self.outcome(lambda: Batch(self.env(su=True)).run(self.checked(batch)))
            one_by_one = self.outcome(lambda: [Batch(self.env(su=True)).run([one])[0] for one in self.checked(batch)])
            self.assertEqual(in_bulk, one_by_one, "seed %d" % seed)

    def checked(self, batch):
        from ..rpc.schema import OPERATIONS

        return [OPERATIONS[operation["type"]](operation) for operation in batch]

    def random_batch(self, chance):
        """Return a batch of all types, with few people, chats and conversations, so that they meet."""

        def user():
            return chance.choice(["1", "2", "3"])

        def key():
            return chance.choice(["a", "b", "c", "d"])

        makers = [
            lambda: self.sender(user(), first_name=chance.choice(["Anna", "Bob", None])),
            lambda: self.opening(key(), user(), chat=chance.choice(["1", "2"])),
            lambda: self.message(chance.randint(1, 6), key(), author=chance.choice(["bot", "customer"])),
            lambda: self.operation("message.failed", conversation=key(), sequence=chance.randint(1, 6), reason="Why"),
            lambda: self.operation("conversation.state", conversation=key(), step=None, state={"n": chance.random()}),
            lambda: self.operation(
                "conversation.close", conversation=key(), reason=chance.choice(["silence", "blocked"])
            ),
            lambda: self.operation("membership", channel=self.channel.id, user=user(), blocked=chance.random() < 0.5),
        ]
        batch = [chance.choice(makers)() for _ in range(60)]
        for place, operation in enumerate(batch):
            operation["at"] = "2026-11-22T19:%02d:%02dZ" % (place, chance.randint(0, 59))
        return batch

    def outcome(self, work):
        """Return what a piece of work leaves behind, without numbers that the database draws; and take it back."""

        class Undo(Exception):
            pass

        result = []
        try:
            with self.env.cr.savepoint():
                result.append([sorted(answer) + [answer.get("refused")] for answer in work()])
                compat.flush_all(self.env)
                self.env.cr.execute(
                    """
                    SELECT json_build_array(
                      (SELECT json_agg(json_build_array(user_ref, s.name, s.first_name, p.name, q.name) ORDER BY user_ref)
                         FROM chatbridge_sender s LEFT JOIN res_partner p ON p.id = partner_id LEFT JOIN res_partner q ON q.id = person_id),
                      (SELECT json_agg(json_build_array(user_ref, blocked, first_seen) ORDER BY user_ref)
                         FROM chatbridge_membership m JOIN chatbridge_sender s ON s.id = sender_id),
                      (SELECT json_agg(json_build_array(key, user_ref, chat_ref, state, ended_reason, ended_at, opened_at, last_activity, dialog_state) ORDER BY key)
                         FROM chatbridge_conversation c JOIN chatbridge_sender s ON s.id = sender_id),
                      (SELECT json_agg(json_build_array(key, sequence, author, body, m.state, failure_reason, at) ORDER BY key, sequence)
                         FROM chatbridge_message m JOIN chatbridge_conversation c ON c.id = conversation_id))
                    """
                )
                result.append(json.dumps(self.env.cr.fetchone()[0]))
                raise Undo
        except Undo:
            return result
