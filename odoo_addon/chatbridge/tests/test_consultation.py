import random
from datetime import timedelta
from unittest.mock import patch

from odoo import fields
from odoo.exceptions import UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from .. import compat
from ..rpc.batch import Batch
from ..rpc.schema import OPERATIONS
from .common import ConsultationCase


@tagged("post_install", "-at_install")
class TestConsultation(ConsultationCase):
    """What the bridge asks for, what Odoo makes of it, and what the bridge hears."""

    def test_a_request_finds_an_operator(self):  # OP-2, OP-6
        julia = self.operator("julia")
        consultation = self.ask_for_operator(1)
        self.assertEqual((consultation.state, consultation.user_id), ("assigned", julia))
        self.assertEqual(consultation.conversation_id, self.conversation())
        self.assertEqual((consultation.step_id, consultation.joined), (self.step_to_operator, True))
        self.assertEqual(self.slots(), {"julia": 1})
        self.assertEqual(self.discussed("open"), [("consultation-1",)])
        self.flush()
        event = self.bridge.events(self.claim, 500, ["consultation.assigned"])[0]
        self.assertEqual(
            event["payload"],
            {
                "channel": self.channel.id,
                "chat": "1",
                "conversation": "conversation-1",
                "sender": {
                    "user": "1",
                    "first_name": "Customer",
                    "last_name": "1",
                    "username": None,
                    "language_code": "uk",
                },
                "consultation": "consultation-1",
                "operator": "Julia",
                "started": False,
            },
        )

    def test_request_is_done_once(self):
        self.operator("julia")
        self.ask_for_operator(1)
        request = self.request(1)
        answers = self.apply(request, self.request(1))
        self.assertEqual([answer["ok"]["consultation"] for answer in answers], [self.consultation(1).id] * 2)
        self.assertEqual(self.slots(), {"julia": 1})

    def test_nobody_there(self):  # OP-2, B-SET-6
        self.ask_for_operator(1)
        self.assertEqual(self.states(1), ["refused"])
        self.assertEqual(self.events("consultation"), [("consultation.refused", {"consultation": "consultation-1"})])
        # Joined, but not active in Odoo: OP-3.
        julia = self.operator("julia")
        self.go_away(julia)
        self.ask_for_operator(2)
        # Active, but not joined.
        self.come(self.person("petro"))
        self.ask_for_operator(3)
        # Joined and archived.
        self.come(julia)
        julia.active = False
        self.ask_for_operator(4)
        self.assertEqual(self.states(1, 2, 3, 4), ["refused"] * 4)
        self.assertFalse(self.discussed("open"))

    def test_who_waits_whatever_happens(self):  # OP-2
        self.ask_for_operator(1, 2, wait=True)
        self.assertEqual(self.states(1, 2), ["queued", "queued"])
        self.assertEqual([event[1]["place"] for event in self.events("place")], [1, 2])
        self.operator("julia")
        self.assertEqual(self.states(1, 2), ["assigned", "assigned"])

    def test_an_operator_chat_that_is_gone_or_archived(self):
        self.operator("julia")
        self.ask_for_operator(1, operator_bot=999999)
        self.ask_for_operator(2, operator_bot=self.bot.id, wait=True)
        self.desk.active = False
        self.ask_for_operator(3, wait=True)
        self.assertEqual(self.states(1, 2, 3), ["refused"] * 3)
        self.assertEqual([kind for kind, _payload in self.events()], ["consultation.refused"] * 3)

    def test_request_in_a_conversation_that_is_gone(self):
        self.assertEqual(self.apply(self.request(1))[0]["missing"], "conversation")

    def test_fewest_chats_then_in_turn(self):  # OP-2
        for login in ("a-operator", "b-operator", "c-operator"):
            self.operator(login)
        self.ask_for_operator(*range(1, 8))
        self.assertEqual(sorted(self.slots().values()), [2, 2, 3])
        got = [self.consultation(number).user_id.login[0] for number in range(1, 7)]
        self.assertEqual(got, ["a", "b", "c"] * 2)
        # One who has fewer comes before one whose turn it is.
        self.apply(self.end(3), self.end(6))
        self.ask_for_operator(8)
        self.assertEqual(self.consultation(8).user_id.login[0], "c")

    def test_full_means_a_queue_in_order(self):  # OP-2, B-SET-3
        self.desk.most_parallel_chats = 1
        self.operator("julia")
        self.ask_for_operator(1, 2, 3, 4)
        self.assertEqual(self.states(1, 2, 3, 4), ["assigned", "queued", "queued", "queued"])
        self.assertEqual([event[1].get("place") for event in self.events("place")], [None, 1, 2, 3])
        self.apply(self.end(1))
        self.assertEqual(self.states(1, 2, 3, 4), ["ended", "assigned", "queued", "queued"])
        # One who waits gives up.
        self.apply(self.end(3))
        self.assertEqual((self.slots(), self.discussed("close")), ({"julia": 1}, [("consultation-1", "customer")]))
        self.apply(self.end(2))
        self.assertEqual(self.states(2, 3, 4), ["ended", "ended", "assigned"])

    def test_a_higher_limit_lets_the_queue_in(self):  # B-SET-3
        self.desk.most_parallel_chats = 1
        self.operator("julia")
        self.ask_for_operator(1, 2, 3)
        self.desk.most_parallel_chats = 2
        self.assertEqual(self.states(1, 2, 3), ["assigned", "assigned", "queued"])
        self.desk.most_parallel_chats = 0
        self.assertEqual(self.states(3), ["assigned"])

    def beat(self):
        status = {"nonce": self.status_nonce, "version": "0", "nudges": False, "channels": []}
        status.update(operations_waiting=0, operations_refused=0, sends_waiting=0)
        return self.bridge.heartbeat(self.claim, status)

    def connect(self, **changes):
        answer = super().connect(**changes)
        self.status_nonce = answer["nonce"]
        return answer

    def test_an_operator_who_comes_back_finds_the_queue(self):  # OP-3
        julia = self.operator("julia")
        self.go_away(julia)
        self.ask_for_operator(1, wait=True)
        self.beat()
        self.assertEqual(self.states(1), ["queued"])
        self.come(julia)
        self.beat()
        self.assertEqual(self.states(1), ["assigned"])

    def test_a_heartbeat_costs_one_query_more_while_nobody_waits(self):
        self.flush()
        consultations = self.env["chatbridge.consultation"].sudo()
        before = self.env.cr.sql_log_count
        consultations._assign_waiting()
        self.assertEqual(self.env.cr.sql_log_count - before, 1)

    def test_a_queue_that_is_stuck_does_not_stop_heartbeats(self):
        julia = self.operator("julia")
        self.go_away(julia)
        self.ask_for_operator(1, wait=True)
        self.come(julia)
        self.env.cr.execute(
            "ALTER TABLE chatbridge_consultation ADD CONSTRAINT chatbridge_test CHECK (state <> 'assigned')"
        )
        with self.assertLogs("odoo.addons.chatbridge", "WARNING"), mute_logger("odoo.sql_db"):
            self.assertEqual(self.beat()["status"], "ready")
        self.assertEqual((self.states(1), self.slots()), (["queued"], {"julia": 0}))

    def test_one_who_cannot_be_assigned_keeps_nobody_waiting(self):  # OP-2
        julia = self.operator("julia")
        self.go_away(julia)
        for number in (1, 2):
            self.ask_for_operator(number, wait=True)
        bad = self.consultation(1)
        self.env.cr.execute(
            "ALTER TABLE chatbridge_consultation ADD CONSTRAINT chatbridge_test CHECK (state <> 'assigned' OR id <> %s)",
            (bad.id,),
        )
        self.come(julia)
        with self.assertLogs("odoo.addons.chatbridge", "WARNING"), mute_logger("odoo.sql_db"):
            self.beat()
        self.assertEqual(self.states(1, 2), ["queued", "assigned"])
        # A new one is not refused because of it.
        with self.assertLogs("odoo.addons.chatbridge", "WARNING"), mute_logger("odoo.sql_db"):
            self.ask_for_operator(3)
        self.assertEqual((self.states(3), self.slots()), (["assigned"], {"julia": 2}))

    def test_a_long_queue_is_served_in_pieces(self):
        julia = self.operator("julia")
        self.go_away(julia)
        for number in (1, 2, 3):
            self.ask_for_operator(number, wait=True)
        self.come(julia)
        with patch("odoo.addons.chatbridge.models.chatbridge_bot_operators.MOST_AT_ONCE", 2):
            self.beat()
            self.assertEqual(self.states(1, 2, 3), ["assigned", "assigned", "queued"])
            self.beat()
        self.assertEqual(self.states(3), ["assigned"])

    def test_nobody_waits_for_operators_who_have_gone_for_good(self):  # OP-2, B-SET-6
        self.desk.most_parallel_chats = 1
        julia = self.operator("julia")
        self.ask_for_operator(1)
        self.ask_for_operator(2)
        self.ask_for_operator(3, wait=True)
        self.assertEqual(self.states(1, 2, 3), ["assigned", "queued", "queued"])
        self.go_away(julia)
        self.beat()
        self.assertEqual(self.states(2, 3), ["queued", "queued"], "not at once")
        self.come(julia)
        self.beat()
        self.assertFalse(self.consultation(2).unattended_since)
        self.go_away(julia)
        self.beat()
        self.consultation(2).unattended_since -= timedelta(minutes=6)
        self.beat()
        self.assertEqual(self.states(2, 3), ["refused", "queued"])

    def test_an_archived_operator_chat_keeps_nobody_waiting(self):  # OP-2
        self.ask_for_operator(1, wait=True)
        self.desk.active = False
        self.assertEqual(self.states(1), ["refused"])

    def test_who_has_lost_the_right_gets_no_more_chats(self):  # OP-1, OP-3
        julia = self.operator("julia")
        julia.write({compat.GROUPS_FIELD: [(3, self.env.ref("chatbridge.group_operator").id)]})
        self.ask_for_operator(1)
        self.assertEqual(self.states(1), ["refused"])

    # Lines

    def test_a_message_of_which_a_piece_failed_has_failed(self):  # OP-9
        self.operator("julia")
        self.ask_for_operator(1)
        said = self.operation(
            "message", conversation="conversation-1", sequence=90, author="operator", kind="text", body="Long"
        )
        at = {"conversation": "conversation-1", "sequence": 90}
        self.apply(
            said,
            self.operation("message.failed", reason="Too long", **at),
            self.operation("message.sent", telegram_message="5", **at),
        )
        row = self.env["chatbridge.message"].search([("sequence", "=", 90)])
        self.assertEqual((row.state, row.failure_reason, row.telegram_message), ("failed", "Too long", "5"))

    def test_lines_go_to_discuss_after_their_rows(self):  # OP-6
        self.operator("julia")
        self.ask_for_operator(1)
        self.apply(self.message(2, consultation="consultation-1"), self.message(3, author="bot"))
        self.assertEqual(self.discussed("relay"), [("consultation-1",)])
        row = self.conversation().message_ids[1]
        self.assertEqual(row.consultation_id, self.consultation(1))
        # A consultation that Odoo does not have is ignored: the row counts more.
        self.assertIn("ok", self.apply(self.message(4, consultation="nobody-knows"))[0])
        self.assertFalse(self.discussed("relay"))

    def test_lines_that_cross_the_end_are_kept(self):  # OP-11
        self.operator("julia")
        self.ask_for_operator(1)
        self.consultation(1)._end("operator")
        self.apply(self.message(2, consultation="consultation-1"))
        self.assertEqual(self.discussed("relay"), [("consultation-1",)])
        self.assertEqual(self.conversation().message_ids.mapped("sequence"), [1, 2])

    def discuss_message(self, body="<p>Good day</p>"):
        """Return a message such as an operator writes in Discuss."""
        return self.env["mail.message"].create(
            {
                "model": compat.DISCUSS_CHANNEL_MODEL,
                "body": body,
                "message_type": "comment",
                "author_id": self.consultation(1).user_id.partner_id.id,
            }
        )

    def test_an_operators_line(self):
        self.operator("julia")
        self.ask_for_operator(1)
        self.events()
        message = self.discuss_message()
        self.consultation(1)._operator_said(message)
        said = {"consultation": "consultation-1", "message": message.id, "operator": "Julia", "body": "<p>Good day</p>"}
        self.assertEqual(self.events(*said), [("consultation.said", said)])
        line = {"author": "operator", "consultation": "consultation-1", "discuss_message": message.id}
        self.apply(self.message(2, telegram_message=None, **line))
        row = self.conversation().message_ids[1]
        self.assertEqual((row.author, row.discuss_message_id), ("operator", message))
        self.assertFalse(self.discussed("relay"))
        place = {"conversation": "conversation-1", "sequence": 2}
        self.apply(self.operation("message.sent", telegram_message="9", **place))
        self.assertEqual((row.telegram_message, row.state), ("9", "sent"))
        self.apply(self.operation("message.failed", reason="Blocked", **place))
        self.assertEqual((row.state, row.failure_reason), ("failed", "Blocked"))
        self.apply(self.operation("discuss.failed", discuss_message=message.id, reason="Gone"))
        self.assertEqual(
            self.discussed("delivery"),
            [
                (None, [message.id], "sent", None),
                (None, [message.id], "failed", "Blocked"),
                (None, [message.id], "failed", "Gone"),
            ],
        )

    def test_messages_of_others_are_not_marked(self):
        self.operator("julia")
        self.ask_for_operator(1)
        note = self.env["mail.message"].create({"model": "res.partner", "res_id": 1, "body": "Note"})
        self.apply(
            self.operation("discuss.failed", discuss_message=note.id, reason="Gone"),
            self.message(2, author="operator", discuss_message=note.id),
            self.operation("message.sent", conversation="conversation-1", sequence=2, telegram_message="7"),
        )
        self.assertFalse(self.conversation().message_ids[1].discuss_message_id)
        self.assertFalse(self.discussed("delivery"))
        wrong = self.operation("message.sent", conversation="conversation-1", sequence=1, telegram_message="7")
        self.assertIn("refused", self.apply(wrong)[0])

    def test_nothing_is_said_after_the_end(self):
        self.operator("julia")
        self.ask_for_operator(1)
        message = self.discuss_message()
        self.apply(self.end(1))
        self.events()
        with self.assertRaisesRegex(UserError, "over"):
            self.consultation(1)._operator_said(message)
        self.assertFalse(self.events())

    # Ends

    def test_end_by_the_customer(self):  # OP-11
        self.operator("julia")
        self.ask_for_operator(1)
        self.events()
        end = self.end(1)
        self.apply(end, end)
        self.apply(self.end(1, "restart"))
        consultation = self.consultation(1)
        self.assertEqual((consultation.state, consultation.ended_reason), ("ended", "customer"))
        self.assertEqual((self.conversation().state, self.conversation().ended_reason), ("ended", "consultation"))
        self.assertEqual((self.events(), self.slots()), ([], {"julia": 0}))
        self.assertEqual(self.discussed("close"), [("consultation-1", "customer")])

    def test_end_by_the_operator(self):  # OP-11
        julia = self.operator("julia")
        self.ask_for_operator(1)
        self.events()
        self.consultation(1).with_user(julia)._end("operator")
        self.consultation(1)._end("operator")
        self.assertEqual(self.states(1), ["ended"])
        self.assertEqual((self.conversation().state, self.conversation().ended_reason), ("ended", "consultation"))
        self.assertEqual(self.events("consultation"), [("consultation.ended", {"consultation": "consultation-1"})])
        # The bridge's own end comes late and changes nothing.
        self.apply(self.end(1))
        self.assertEqual((self.consultation(1).ended_reason, self.events()), ("operator", []))

    def test_end_of_a_consultation_that_odoo_does_not_have(self):
        self.apply(self.sender("1"), self.opening("conversation-1", "1"), self.end(1, "blocked"))
        self.assertEqual((self.conversation().state, self.conversation().ended_reason), ("ended", "blocked"))

    def test_a_conversation_takes_its_consultation_along(self):
        self.operator("julia")
        self.ask_for_operator(1, 2, 3)
        self.apply(
            self.operation("conversation.close", conversation="conversation-1", reason="blocked"),
            self.operation("conversation.close", conversation="conversation-2", reason="silence"),
            self.opening("conversation-4", "3"),
        )
        self.assertEqual(self.states(1, 2, 3), ["ended"] * 3)
        reasons = [self.consultation(number).ended_reason for number in (1, 2, 3)]
        self.assertEqual(reasons, ["blocked", "silence", "restart"])
        self.assertEqual(self.slots(), {"julia": 0})

    def test_all_in_one_batch(self):
        self.desk.most_parallel_chats = 1
        self.operator("julia")
        self.apply(
            self.sender("1"),
            self.opening("conversation-1", "1"),
            self.request(1),
            self.message(1, consultation="consultation-1"),
            self.sender("2"),
            self.opening("conversation-2", "2"),
            self.request(2),
            self.end(1),
            self.opening("conversation-3", "1"),
            self.request(3),
        )
        self.assertEqual(self.states(1, 2, 3), ["ended", "assigned", "queued"])
        self.assertEqual(
            self.events("consultation", "place"),
            [
                ("consultation.assigned", {"consultation": "consultation-1"}),
                ("consultation.queued", {"consultation": "consultation-2", "place": 1}),
                ("consultation.assigned", {"consultation": "consultation-2"}),
                ("consultation.queued", {"consultation": "consultation-3", "place": 1}),
            ],
        )

    def test_request_while_another_runs(self):
        self.operator("julia")
        self.ask_for_operator(1)
        self.events()
        answer = self.apply(self.request(1, consultation="consultation-2"))[0]
        self.assertEqual(answer["ok"]["consultation"], self.consultation(2).id)
        self.assertEqual((self.states(1, 2), self.slots()), (["assigned", "ended"], {"julia": 1}))
        self.assertEqual(
            self.events("consultation", "started"),
            [("consultation.assigned", {"consultation": "consultation-1", "started": False})],
        )

    # What a bridge without its store is told

    def asked(self, user="1"):
        question = {"id": "q", "type": "conversation", "channel": self.channel.id, "user": user}
        return self.bridge.ask(self.claim, [question])[0]["answer"]["consultation"]

    def test_ask_names_the_consultation(self):
        self.desk.most_parallel_chats = 1
        self.operator("julia")
        self.ask_for_operator(1, 2)
        self.assertEqual(
            self.asked(), {"consultation": "consultation-1", "state": "assigned", "operator": "Julia"}
        )
        self.assertEqual(self.asked("2"), {"consultation": "consultation-2", "state": "queued", "operator": None})
        self.apply(self.opening("conversation-3", "1"))
        self.assertIsNone(self.asked())

    def test_events_wait_while_the_channel_is_not_live(self):  # B-9
        self.operator("julia")
        self.channel.active = False
        self.ask_for_operator(1)
        self.assertFalse(self.events())
        self.channel.active = True
        self.assertEqual([kind for kind, _payload in self.events()], ["consultation.assigned"])

    def test_refreshed_channel(self):  # SET-3
        values = {"channel": self.channel.id, "answer": "Unauthorized"}
        self.apply(self.operation("channel.refreshed", ok=False, username=None, **values))
        self.assertEqual((self.channel.hook_state, self.channel.hook_answer), ("wrong", "Unauthorized"))
        self.take_events()
        self.apply(self.operation("channel.refreshed", ok=True, username="shop_bot", **dict(values, answer="Good")))
        self.assertEqual((self.channel.hook_state, self.channel.username), ("ok", "shop_bot"))
        self.assertFalse(self.take_events())
        gone = self.operation("channel.refreshed", ok=True, username=None, **dict(values, channel=999999))
        self.assertEqual(self.apply(gone)[0]["missing"], "channel")

    def test_many_operators_cost_no_more_queries(self):
        def cost(number):
            self.flush()
            compat.invalidate_all(self.env)
            before = self.env.cr.sql_log_count
            self.desk._present_operators()
            return self.env.cr.sql_log_count - before

        self.operator("first")
        one = cost(1)
        for number in range(10):
            self.operator("more-%d" % number)
        self.assertEqual(cost(2), one)
        self.assertEqual(len(self.desk._present_operators()), 11)

    def test_requested_at_is_kept(self):
        self.operator("julia")
        self.ask_for_operator(1)
        self.assertEqual(self.consultation(1).requested_at, fields.Datetime.to_datetime("2026-11-22 19:00:00"))


@tagged("post_install", "-at_install")
class TestConsultationBatches(ConsultationCase):
    """What a batch does to consultations is what its operations do one by one."""

    def test_bulk_equals_one_by_one(self):
        self.desk.most_parallel_chats = 1
        for login in ("julia", "petro"):
            self.operator(login)
        for seed in range(12):
            batch = [OPERATIONS[one["type"]](one) for one in self.random_batch(random.Random(seed))]
            in_bulk = self.outcome(lambda batch=batch: Batch(self.env(su=True)).run(batch))
            one_by_one = self.outcome(lambda batch=batch: [Batch(self.env(su=True)).run([one])[0] for one in batch])
            self.assertEqual(in_bulk, one_by_one, "seed %d" % seed)

    def random_batch(self, chance):
        """Return a batch with few customers, conversations and consultations, so that they meet."""

        def key(name):
            return "%s-%s" % (name, chance.choice("abcdef"))

        def place():
            return {"conversation": key("conversation"), "consultation": key("consultation")}

        def opening():
            user = chance.choice("123")
            return self.opening(key("conversation"), user)

        makers = [
            opening,
            opening,
            lambda: self.request(0, **dict(place(), wait=chance.random() < 0.5)),
            lambda: self.request(0, **dict(place(), wait=chance.random() < 0.5)),
            lambda: self.operation("consultation.joined", **place()),
            lambda: self.operation("consultation.end", reason=chance.choice(["customer", "blocked"]), **place()),
            lambda: self.operation("conversation.close", conversation=key("conversation"), reason="blocked"),
            lambda: self.message(chance.randint(1, 9), key("conversation"), consultation=key("consultation")),
        ]
        return [chance.choice(makers)() for _number in range(50)]

    def outcome(self, work):
        """Return what a piece of work leaves behind and tells the bridge, without drawn numbers; and take it back."""

        class Undo(Exception):
            pass

        result = []
        try:
            with self.env.cr.savepoint():
                result.append([sorted(answer) + [answer.get("refused")] for answer in work()])
                compat.flush_all(self.env)
                slots = self.slots()
                self.env.cr.execute(
                    "SELECT n.key, n.state, n.ended_reason, n.joined, u.login, c.key, c.state, c.ended_reason"
                    "  FROM chatbridge_consultation n JOIN chatbridge_conversation c ON c.id = n.conversation_id"
                    "  LEFT JOIN res_users u ON u.id = n.user_id ORDER BY n.key"
                )
                result.append((slots, self.env.cr.fetchall()))
                self.env.cr.execute("SELECT kind, payload FROM chatbridge_event WHERE kind LIKE 'cons%' ORDER BY id")
                result.append(self.env.cr.fetchall())
                raise Undo
        except Undo:
            compat.invalidate_all(self.env)
            return result
