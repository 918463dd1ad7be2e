"""X-7, OP-7 (text), OP-11: a consultation while everything breaks: each line arrives once, in order, on both sides."""

import itertools

import pytest
from desk import Desk
from test_consultation import ELSE, ENDED, JOINED, LOOKING, ask
from world import until

_numbers = itertools.count(500_001)


@pytest.fixture(scope="module")
def installation(private_installation):
    """A PostgreSQL of this file's own, to restart."""
    return private_installation


class Consultation:
    """One that runs, with numbered lines from both sides."""

    def __init__(self, company, sandbox):
        self.company = company
        number = next(_numbers)
        self.desk = Desk(company, number)
        self.shop = self.desk.open_shop()
        sandbox.add_bot(self.shop.token, self.shop.username)
        self.julia = self.desk.hire("Julia")
        company.live()
        self.customer = sandbox.customer(self.shop.username, 7_000_000 + number, "Anna", last_name="Koval", language_code="en")
        ask(self.customer)
        self.talk = self.julia.gets("Anna Koval")
        self.customer.hears(LOOKING, JOINED)
        self.asked, self.answered = [], []

    def asks(self):
        """The customer writes the next line."""
        self.asked.append(f"question {len(self.asked) + 1}")
        self.customer.say(self.asked[-1])

    def answers(self):
        """The operator writes the next line."""
        self.answered.append(f"answer {len(self.answered) + 1}")
        self.talk.say(self.answered[-1])

    def is_whole(self, doubles=False):
        """Wait until both sides have every line once, in order; and so has the transcript. `doubles`: one was in flight when the bridge was killed."""
        customers = lambda: [words for words in self.talk.words() if words.startswith("question")]  # noqa: E731
        until(lambda: customers() == self.asked, f"Discuss has {self.asked}, not {self.talk.words()}")
        # What was in flight to Telegram when the bridge was killed may come twice: it has no key to prevent that.
        lines = lambda: [words for words in self.customer.heard() if words.startswith("answer")]  # noqa: E731
        operators = lambda: [words for words, _same in itertools.groupby(lines())] if doubles else lines()  # noqa: E731
        until(lambda: operators() == self.answered, f"the chat has {self.answered}, not {self.customer.heard()}")
        rows = lambda: [words for _author, words in self.company.messages(self.shop, self.customer.user) if words[:6] in ("questi", "answer")]  # noqa: E731
        until(lambda: sorted(rows()) == sorted(self.asked + self.answered), "the transcript has every line once")
        assert [row for row in rows() if row.startswith("answer")] == self.answered
        assert [row for row in rows() if row.startswith("question")] == self.asked

    def reconnect(self):
        """Odoo has been away: log in again."""
        self.company.admin = self.company.odoo.rpc()
        self.julia.connect()
        self.julia.present()


@pytest.fixture
def consultation(company, sandbox):
    """Makes consultations, once a bridge runs."""
    return lambda: Consultation(company, sandbox)


def test_the_bridge_is_killed(bridge, consultation):
    """Lines of both sides before, while it is away, and after."""
    talk = consultation()
    talk.asks()
    talk.answers()
    bridge.kill()
    talk.answers()
    talk.asks()
    talk.answers()
    bridge.start()
    talk.asks()
    talk.answers()
    talk.is_whole()


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("call", ["/apply", "/done"])
def test_killed_between_odoo_and_the_store(proxied, proxy, consultation, call, moment):
    """Killed before and after Odoo has seen the call: the same keys and the same events again have no second effect."""
    talk = consultation()
    gate = proxy.arm(call, moment)
    talk.answers()
    talk.asks()
    assert gate.reached.wait(30)
    proxied.kill()
    gate.open(drop=moment == "before")
    proxied.start()
    talk.asks()
    talk.answers()
    talk.is_whole(doubles=True)


def test_odoo_is_stopped(bridge, odoo, consultation):
    """The customer writes on; the operator finds it when Odoo is back."""
    talk = consultation()
    talk.asks()
    talk.answers()
    talk.is_whole()
    odoo.kill()
    for _ in range(3):
        talk.asks()
    odoo.start()
    talk.reconnect()
    talk.answers()
    talk.asks()
    talk.is_whole()


def test_postgresql_is_restarted(bridge, installation, odoo, consultation):
    """The database goes away under a running consultation."""
    talk = consultation()
    talk.asks()
    talk.answers()
    installation.postgres.restart()
    talk.asks()
    talk.is_whole()
    talk.reconnect()
    talk.answers()
    talk.asks()
    talk.is_whole()


def test_the_customer_ends_while_odoo_is_away(bridge, odoo, company, consultation):
    """`/end` acts at once in the chat and is written later; what the customer wrote before it is not lost."""
    talk = consultation()
    odoo.kill()
    talk.asks()
    talk.customer.say("/end")
    talk.customer.hears(ENDED, ELSE)
    odoo.start()
    talk.reconnect()
    until(talk.julia.idle, "the consultation has ended in Odoo")
    talk.is_whole()
    assert talk.julia.consultations()[-1]["ended_reason"] == "customer"


def test_a_line_of_the_operators_crosses_the_customers_end(proxied, consultation):
    """OP-11: the line is delivered nevertheless, and the operator is told of the end."""
    talk = consultation()
    proxied.kill()
    talk.answers()  # waits in Odoo
    talk.customer.say("/end")  # waits at Telegram
    proxied.start()
    until(lambda: {ENDED, ELSE} <= set(talk.customer.heard()), "the dialog goes on")
    lines = lambda: [words for words in talk.customer.heard() if "answer 1" in words]  # noqa: E731
    until(lines, "the operator's line is delivered")
    until(talk.julia.idle, "the consultation has ended in Odoo")
    assert len(lines()) == 1


def test_a_line_of_the_customers_crosses_the_operators_end(proxied, company, consultation):
    """OP-11: the customer is told of the end, and the line stands in the transcript once."""
    talk = consultation()
    proxied.kill()
    talk.talk.say("/end")
    talk.asks()
    proxied.start()
    until(lambda: ENDED in talk.customer.heard(), "the customer is told")
    rows = lambda: [row for row in company.messages(talk.shop, talk.customer.user) if row == ("customer", "question 1")]  # noqa: E731
    until(rows, "the line is not lost")
    assert len(rows()) == 1


def test_a_line_after_the_operators_end_stands_in_the_ended_chat(proxied, proxy, consultation):
    """OP-11: the bridge has not heard of the end when the customer writes: the operator finds the words where they were talking."""
    talk = consultation()
    gate = proxy.arm("/events", "before")
    talk.talk.say("/end")
    assert gate.reached.wait(30)
    talk.asks()
    until(lambda: "question 1" in talk.talk.words(), "the line stands in the ended chat")
    gate.open()
    until(lambda: {ENDED, ELSE} <= set(talk.customer.heard()), "the customer is told, the dialog goes on")
    assert talk.talk.words().count("question 1") == 1
