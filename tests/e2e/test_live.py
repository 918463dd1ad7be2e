"""SET-5: what an admin saves is live, and a conversation in progress goes on."""

from world import until

MENU = "What would you like to know?"


def greet(customer):
    customer.say("/start")
    customer.hears("Welcome, Anna Koval!", MENU)


def test_a_changed_text_is_live_through_the_nudge(bridge, company, shop, customer):
    """B-SET-4, SET-5: the nudge arrives, the talk goes on where it was."""
    greet(customer)
    company.live()
    read, nudged = bridge.metric("bots_read_total"), bridge.metric("nudges_total")
    company.write("chatbridge.step", shop.steps["prices"], text="<p>Everything costs 7 €.</p>")
    company.live()
    assert bridge.metric("nudges_total") > nudged
    assert bridge.metric("bots_read_total") > read
    customer.press("Prices")
    customer.hears("Everything costs 7 €.")


def test_a_changed_text_is_live_without_nudges(make_bridge, company, shop, customer):
    """SET-5: behind a wall, the poll finds it."""
    bridge = company.accept(make_bridge(CHATBRIDGE_NUDGE_URL="none"))
    greet(customer)
    read = bridge.metric("bots_read_total")
    company.write("chatbridge.step", shop.steps["prices"], text="<p>Everything costs 8 €.</p>")
    company.live()
    assert bridge.metric("bots_read_total") > read
    assert bridge.metric("nudges_total") == 0
    customer.press("Prices")
    customer.hears("Everything costs 8 €.")
