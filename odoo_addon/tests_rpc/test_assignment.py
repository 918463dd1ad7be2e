"""Who gets a customer, with everybody at once: real Odoo, real HTTP, real transactions (OP-1..3, B-SET-3).

Run with ``python3 odoo_addon/tests_rpc/test_assignment.py``; needs the lab. ``SERIES=14`` takes one series only,
``SEED=5`` one run of chance.
"""

import os
import random
import sys
import unittest
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parent)]

from case import RpcCase, of_series, operation  # noqa: E402
from lab_odoo import OdooError  # noqa: E402
from lab_odoo.rpc import Client  # noqa: E402

#: Operators, and how many chats each may have.
OPERATORS, MOST = 4, 2
#: Rounds of chance; in each, as many things happen at once.
ROUNDS, AT_ONCE = 12, 6
#: What Odoo gives up on after five tries.
AGAIN = ("SerializationFailure", "TransactionRollbackError", "TryAgain", "DeadlockDetected", "LockNotAvailable")
SEEDS = [int(os.environ["SEED"])] if "SEED" in os.environ else [1]


class AssignmentTests(RpcCase):
    """Requests, ends, and operators who come and go, over many connections; a class for each series inherits this."""

    def setUp(self):
        super().setUp()
        self.count = 0
        self.desk = self.admin.call(
            "chatbridge.bot", "create", {"name": self.id(), "kind": "operator", "most_parallel_chats": MOST}
        )
        self.consultations = {}
        if not hasattr(type(self), "people"):
            type(self).people = [self.make_person(number) for number in range(OPERATORS)]
        for person in self.people:
            self.presence(person, False)

    # The world

    def make_person(self, number):
        """Return the session of a user who may be an operator."""
        reference = self.admin.call(
            "ir.model.data", "search_read", [["module", "=", "chatbridge"], ["name", "=", "group_operator"]], ["res_id"]
        )
        login = "operator-%d" % number
        groups = "groups_id" if self.number == "14" else "group_ids"
        vals = {"name": login.title(), "login": login, "password": login, groups: [[4, reference[0]["res_id"]]]}
        context = {"no_reset_password": True}
        self.admin.call("res.users", "create", vals, context=context)
        return Client(self.url, self.database, login, login)

    def sql(self, query):
        """Return the rows of a query on what is committed."""
        return self.there.postgres.sql(query, self.database)

    def presence(self, person, online):
        """Have a user be active in Odoo, or not."""
        table = "mail_presence" if self.number == "19" else "bus_presence"
        status, since = ("online", "1 second") if online else ("offline", "1 day")
        # The sessions of the tests send no sign of life of their own: it lies an hour ahead.
        last = "now() AT TIME ZONE 'UTC' %s" % ("+ interval '1 hour'" if online else "- interval '%s'" % since)
        self.sql("DELETE FROM %s WHERE user_id = %d" % (table, person.uid))
        self.sql(
            "INSERT INTO %s (user_id, status, last_poll, last_presence) VALUES (%d, '%s', %s, %s)"
            % (table, person.uid, status, last, last)
        )

    def until_done(self, work):
        """Do some work again where Odoo has given up on it, as the bridge and people do; never lose it."""
        while True:
            try:
                return work()
            except OdooError as error:
                if not error.name.endswith(AGAIN):
                    raise

    def join(self, person):
        self.until_done(lambda: person.call("chatbridge.bot", "action_join", [self.desk]))

    def leave(self, person, way):
        """Leave; with open chats in one of the two ways."""

        def work():
            action = person.call("chatbridge.bot", "action_leave", [self.desk])
            if isinstance(action, dict):
                person.call(action["res_model"], way, [action["res_id"]])

        self.until_done(work)

    def request(self, bridge, number, wait):
        """Have a customer ask for an operator."""
        batch = self.person("%s-%d" % (self.desk, number))
        key = "%s-consultation-%d" % (self.desk, number)
        conversation = batch[1]["conversation"]
        batch.append(
            operation(
                "consultation.request",
                conversation=conversation,
                consultation=key,
                operator_bot=self.desk,
                step=None,
                wait=wait,
            )
        )
        answers = self.until_done(lambda: self.apply(batch, bridge))
        assert all("ok" in answer for answer in answers), answers
        self.consultations[key] = conversation

    def say(self, bridge, key, sequence):
        """Have a customer write in a consultation, queued or running."""
        line = operation(
            "message",
            conversation=self.consultations[key],
            consultation=key,
            sequence=sequence,
            author="customer",
            kind="text",
            body="line %d" % sequence,
        )
        answers = self.until_done(lambda: self.apply([line], bridge))
        assert "ok" in answers[0], answers

    def end(self, bridge, key):
        """Have a customer end a consultation, queued or running."""
        batch = [
            operation(
                "consultation.end", conversation=self.consultations[key], consultation=key, reason="customer"
            )
        ]
        answers = self.until_done(lambda: self.apply(batch, bridge))
        assert "ok" in answers[0], answers

    def beat(self):
        """Send a heartbeat: it looks after who waits."""
        status = {"nonce": self.nonce, "version": "0", "nudges": False, "channels": []}
        status.update(operations_waiting=0, operations_refused=0, sends_waiting=0)
        self.until_done(lambda: self.bridges[0].call("chatbridge.bridge", "heartbeat", self.claim, status))

    def many(self, works):
        """Do things at once, each over a connection of its own."""
        with ThreadPoolExecutor(len(self.bridges)) as pool:
            for done in [pool.submit(work, bridge) for work, bridge in zip(works, self.bridges)]:
                done.result()

    # What is committed

    def rows(self):
        """Return the desk's consultations in their order, by key."""
        rows = self.sql(
            "SELECT key, id, state, coalesce(operator_id, 0), coalesce(user_id, 0) FROM chatbridge_consultation"
            " WHERE bot_id = %d ORDER BY id" % self.desk
        )
        return {
            key: {"id": int(id_), "state": state, "operator": int(operator), "user": int(user)}
            for key, id_, state, operator, user in rows
        }

    def operators(self):
        """Return ``{operator id: (user id, open chats)}`` of the desk."""
        rows = self.sql("SELECT id, user_id, open_count FROM chatbridge_operator WHERE bot_id = %d" % self.desk)
        return {int(id_): (int(user), int(open_count)) for id_, user, open_count in rows}

    def check_nothing_is_stranded(self):
        """Every slot is counted, every customer has somebody or waits (OP-1, OP-2)."""
        rows, operators = self.rows(), self.operators()
        assigned = [row for row in rows.values() if row["state"] == "assigned"]
        held = Counter(row["operator"] for row in assigned)
        for id_, (_user, count) in operators.items():
            self.assertEqual(count, held[id_])
        for row in assigned:
            self.assertIn(row["operator"], operators)
            self.assertEqual(operators[row["operator"]][0], row["user"])
        self.assertTrue(all(count <= MOST for _user, count in operators.values()), operators)
        self.assertEqual(set(rows), set(self.consultations))

    # The tests

    def test_by_chance(self):
        for seed in SEEDS:
            with self.subTest(seed=seed):
                self.play(random.Random(seed))

    def play(self, chance):
        """Have things happen at once, round after round, and look at what is left after each."""
        self.everybody_in()
        self.online, self.joined = ({person.uid for person in self.people} for _both in range(2))
        for _round in range(ROUNDS):
            before = self.rows()
            works, self.there_now = [], (set(self.online), set(self.joined))
            for person in chance.sample(self.people, 2):
                works.append(self.movement(chance, person))
            while len(works) < AT_ONCE:
                works.append(self.customer(chance, before))
            chance.shuffle(works)
            self.many(works)
            self.beat()
            self.check_nothing_is_stranded()
            self.check_assigned(before)
            self.check_queue(before)
        # Chance has not been idle.
        self.assertGreater(len([row for row in self.rows().values() if row["user"]]), ROUNDS // 2)

    def movement(self, chance, person):
        """Return how an operator comes or goes."""
        what = chance.choice(["join", "join", "leave", "online", "online", "offline"])
        if what == "join":
            self.joined.add(person.uid)
            self.there_now[1].add(person.uid)
            return lambda _bridge: self.join(person)
        if what == "leave":
            self.joined.discard(person.uid)
            way = chance.choice(["action_hand_over", "action_put_back"])
            return lambda _bridge: self.leave(person, way)
        if what == "online":
            self.online.add(person.uid)
            self.there_now[0].add(person.uid)
        else:
            self.online.discard(person.uid)
        return lambda _bridge: self.presence(person, what == "online")

    def customer(self, chance, before):
        """Return what a customer does."""
        running = [key for key, row in before.items() if row["state"] in ("queued", "assigned")]
        if running and chance.random() < 0.4:
            key = chance.choice(running)
            return lambda bridge: self.end(bridge, key)
        self.count += 1
        number, wait = self.count, chance.random() < 0.6
        return lambda bridge: self.request(bridge, number, wait)

    def check_assigned(self, before):
        """Nobody got a customer who was away, or had not joined, all the round long (OP-3)."""
        online, joined = self.there_now
        for key, row in self.rows().items():
            if row["state"] == "assigned" and before.get(key, {}).get("operator") != row["operator"]:
                self.assertIn(row["user"], online & joined)

    def check_queue(self, before):
        """Nobody waits while somebody has room; nobody was served before who had waited longer."""
        rows, operators = self.rows(), self.operators()
        waiting = [row for row in rows.values() if row["state"] == "queued"]
        if waiting:
            room = [user for user, count in operators.values() if user in self.online and count < MOST]
            self.assertFalse(room)
        served = [
            row["id"]
            for key, row in rows.items()
            if row["state"] == "assigned" and before.get(key, {"state": "new"})["state"] in ("queued", "new")
        ]
        # One whom an operator has given back was not waiting then.
        patient = [row["id"] for row in waiting if not row["user"]]
        self.assertFalse([id_ for id_ in patient if any(other > id_ for other in served)])

    def everybody_in(self):
        for person in self.people:
            self.presence(person, True)
            self.join(person)

    def test_equals_are_served_alike(self):
        self.admin.call("chatbridge.bot", "write", [self.desk], {"most_parallel_chats": 0})
        self.everybody_in()
        for start in range(0, 24, AT_ONCE):
            works = [
                lambda bridge, number=number: self.request(bridge, number, False)
                for number in range(start, start + AT_ONCE)
            ]
            self.many(works)
            counts = [count for _user, count in self.operators().values()]
            self.assertEqual(sum(counts), start + AT_ONCE)
            self.assertLessEqual(max(counts) - min(counts), 1, counts)

    def test_freed_slots_are_taken_once_and_in_order(self):
        self.everybody_in()
        for number in range(OPERATORS * MOST + 6):
            self.request(self.bridges[0], number, False)
        queue = [key for key, row in self.rows().items() if row["state"] == "queued"]
        self.assertEqual(len(queue), 6)
        held = [key for key, row in self.rows().items() if row["state"] == "assigned"]
        # Each end twice, from two connections.
        ends = [lambda bridge, key=key: self.end(bridge, key) for key in held[:3] for _twice in range(2)]
        self.many(ends)
        self.check_nothing_is_stranded()
        rows = self.rows()
        self.assertEqual([rows[key]["state"] for key in queue], ["assigned"] * 3 + ["queued"] * 3)

    def test_a_queue_that_grows_while_slots_get_free(self):
        self.everybody_in()
        for number in range(OPERATORS * MOST):
            self.request(self.bridges[0], number, False)
        held = list(self.rows())
        for start in range(0, OPERATORS * MOST, 3):
            works = [lambda bridge, key=key: self.end(bridge, key) for key in held[start : start + 3]]
            works += [
                lambda bridge, number=100 + start + more: self.request(bridge, number, False)
                for more in range(len(works))
            ]
            self.many(works)
            self.check_nothing_is_stranded()
            # As many came as went: all have somebody, without any heartbeat.
            states = Counter(row["state"] for row in self.rows().values())
            self.assertEqual((states["queued"], states["assigned"]), (0, OPERATORS * MOST))

    def test_lines_written_while_an_operator_is_found_reach_discuss(self):  # OP-6
        self.everybody_in()
        for number in range(OPERATORS * MOST + 6):
            self.request(self.bridges[0], number, False)
        held = [key for key, row in self.rows().items() if row["state"] == "assigned"]
        queue = [key for key, row in self.rows().items() if row["state"] == "queued"]
        for turn in range(3):
            # The two who are next write while they are given to operators.
            nexts = queue[2 * turn : 2 * turn + 2]
            works = [lambda bridge, key=key: self.end(bridge, key) for key in (held.pop(), held.pop())]
            works += [
                lambda bridge, key=key, line=line: self.say(bridge, key, line) for key in nexts for line in (50, 51)
            ]
            self.many(works)
            left_behind = self.sql(
                "SELECT m.sequence, c.posted_sequence FROM chatbridge_message m"
                " JOIN chatbridge_consultation c ON c.id = m.consultation_id"
                " WHERE c.bot_id = %d AND c.state = 'assigned' AND m.sequence > c.posted_sequence" % self.desk
            )
            self.assertEqual(left_behind, [])
            self.assertEqual({self.rows()[key]["state"] for key in nexts}, {"assigned"})

    def test_operators_who_join_while_customers_queue(self):
        for person in self.people:
            self.presence(person, True)
        works = [lambda bridge, number=number: self.request(bridge, number, True) for number in range(3)]
        works += [lambda _bridge, person=person: self.join(person) for person in self.people[:2]]
        self.many(works)
        self.check_nothing_is_stranded()
        self.assertEqual({row["state"] for row in self.rows().values()}, {"assigned"})

    def test_events_of_a_consultation_come_in_their_order(self):
        self.everybody_in()
        for number in range(6):
            self.request(self.bridges[0], number, False)
        leavers = [
            lambda _bridge, person=person: self.leave(person, "action_hand_over") for person in self.people[:2]
        ]
        self.many(leavers)
        rows, names = self.rows(), {person.uid: "Operator-%d" % n for n, person in enumerate(self.people)}
        events = self.bridges[0].call("chatbridge.bridge", "events", self.claim, 500, ["consultation.assigned"])
        last = {event["payload"]["consultation"]: event["payload"]["operator"] for event in events}
        for key, row in rows.items():
            if row["state"] == "assigned":
                self.assertEqual(last[key], names[row["user"]])


class TestAssignment14(AssignmentTests, unittest.TestCase):
    """Odoo 14.0."""

    number = "14"


class TestAssignment19(AssignmentTests, unittest.TestCase):
    """Odoo 19.0."""

    number = "19"


load_tests = of_series(TestAssignment14, TestAssignment19)


if __name__ == "__main__":
    unittest.main()
