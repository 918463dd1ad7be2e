"""The bridge killed with SIGKILL at each stage and started again: nothing lost, nothing twice in Odoo."""

import os
import random

import pytest
from world import until

MENU = "What would you like to know?"
START = [("customer", "/start"), ("bot", "Welcome, Anna Koval!"), ("bot", MENU)]
PRICES = [("customer", "Prices"), ("bot", "Everything costs 5 €.")]


def test_killed_while_a_message_is_on_its_way(bridge, company, shop, customer, sandbox):
    """The answer arrives after the restart."""
    sandbox.fault(bot=shop.username, method="sendMessage", kind="time_out_before", times=1, delay_ms=60_000)
    customer.say("/start")
    until(lambda: sandbox.calls(shop.username, "sendMessage"), "the message is on its way")
    bridge.kill()
    bridge.start()
    customer.hears("Welcome, Anna Koval!", MENU)
    customer.press("Prices")
    customer.hears("Everything costs 5 €.")
    company.has_messages(shop, customer.user, *START, *PRICES)


def test_killed_between_sent_and_marked_as_sent(bridge, company, shop, customer, sandbox):
    """Only the message in flight may come twice in the chat; in Odoo it stands once."""
    sandbox.fault(bot=shop.username, method="sendMessage", kind="time_out_after", times=1, delay_ms=60_000)
    customer.say("/start")
    until(lambda: customer.heard() == ["Welcome, Anna Koval!"], "the message was taken, the answer is held back")
    bridge.kill()
    bridge.start()
    customer.hears("Welcome, Anna Koval!", MENU)
    assert customer.heard().count("Welcome, Anna Koval!") <= 2
    assert customer.heard().count(MENU) == 1
    company.has_messages(shop, customer.user, *START)


@pytest.mark.parametrize("moment", ["before", "after"])
def test_killed_while_odoo_is_written(proxied, proxy, company, shop, customer, moment):
    """Before Odoo has seen the writes, and after it has committed them: the same keys again, the same result."""
    gate = proxy.arm("/apply", moment)
    customer.say("/start")
    customer.hears("Welcome, Anna Koval!", MENU)
    assert gate.reached.wait(30)
    proxied.kill()
    gate.open(drop=moment == "before")
    proxied.start()
    customer.press("Prices")
    customer.hears("Everything costs 5 €.")
    company.has_messages(shop, customer.user, *START, *PRICES)
    assert len(company.conversations(shop, customer.user)) == 1


def test_the_answer_of_odoo_lost_on_the_way(proxied, proxy, company, shop, customer):
    """Cut off after the commit: the bridge writes again with the same keys, Odoo gives the first result."""
    gate = proxy.arm("/apply", "after")
    customer.say("/start")
    assert gate.reached.wait(30)
    gate.open(drop=True)
    customer.hears("Welcome, Anna Koval!", MENU)
    company.has_messages(shop, customer.user, *START)
    assert proxied.process.alive()


def test_killed_again_and_again_under_traffic(bridge, company, shop, make_customer, sandbox):
    """Five kills at random moments while six customers write numbered words: each word once in Odoo, in order; each answered."""
    seed = int(os.environ.get("CHATBRIDGE_SEED") or random.randrange(1_000_000))
    chance = random.Random(seed)
    customers = [make_customer(f"Nr{number}") for number in range(6)]
    for customer in customers:
        customer.say("/start")
    said = {customer.user: [] for customer in customers}
    for kill in range(5):
        for word in range(4):
            for customer in customers:
                text = f"word {kill}-{word}"
                customer.say(text)
                said[customer.user].append(text)
        written = chance.randrange(0, 45)
        until(lambda: bridge.metric("messages_sent_total") >= written, f"{written} messages sent (seed {seed})", 30)
        bridge.kill()
        bridge.start()
    for customer in customers:
        wanted = ["/start", *said[customer.user]]
        lines = lambda: company.messages(shop, customer.user)  # noqa: B023, E731
        mine = lambda: [body for author, body in lines() if author == "customer"]  # noqa: B023, E731
        until(lambda: mine() == wanted, f"every word once and in order (seed {seed}): {mine()}")  # noqa: B023
        until(lambda: customer.heard().count("Sorry, I did not understand that.") >= len(said[customer.user]), "each is answered")  # noqa: B023
        assert customer.heard().count("Sorry, I did not understand that.") <= len(said[customer.user]) + 5, "only what was in flight came twice"
        answers = [("bot", "Sorry, I did not understand that."), ("bot", MENU)]
        whole = [("customer", "/start"), ("bot", f"Welcome, {customer.name}!"), ("bot", MENU)]
        for word in said[customer.user]:
            whole += [("customer", word), *answers]
        until(lambda: lines() == whole, f"what the bot said stands once and in order, too (seed {seed})")  # noqa: B023


def test_stopped_in_order_nothing_waits(bridge, company, shop, customer):
    """SIGTERM: what is under way is finished, the exit code is 0."""
    customer.say("/start")
    assert bridge.stop() == 0
    bridge.start()
    customer.hears("Welcome, Anna Koval!", MENU)
    company.has_messages(shop, customer.user, *START)
