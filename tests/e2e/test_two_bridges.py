"""Two bridges started by mistake: the one without the lease waits and says so."""

from world import until

MENU = "What would you like to know?"


def test_the_second_bridge_waits(bridge, make_bridge, company, shop, customer, sandbox, tmp_path):
    """SET-5: it takes nothing in, and disturbs nothing."""
    second = make_bridge(folder=tmp_path).launch()
    until(lambda: second.state() == (503, "another bridge is working; waiting"), "the second one says that it waits")
    customer.say("/start")
    customer.hears("Welcome, Anna Koval!", MENU)
    assert second.metric("updates_total") == 0
    assert bridge.state() == (200, "working")
    assert bridge.metric("updates_total") == 1


def test_a_token_that_telegram_refuses_is_shown_in_odoo(bridge, company, shop, customer, sandbox):
    """SET-4, SET-5: one refused channel says so on its form and stops no other; with the right token it works."""
    broken = company.make_shop(400_001)
    refused = lambda: company.read("chatbridge.channel", [("id", "=", broken.channel)], ["state", "last_error"])[0]  # noqa: E731
    until(lambda: refused()["state"] == "refused", f"the channel's form says so: {refused()}")
    assert "BotFather" in refused()["last_error"]
    assert broken.token not in refused()["last_error"]
    customer.say("/start")
    customer.hears("Welcome, Anna Koval!", MENU)
    right = "400002:AAtokenThatIsRight"
    sandbox.add_bot(right, broken.username)
    company.write("chatbridge.channel", broken.channel, token=right)
    visitor = sandbox.customer(broken.username, customer.user, "Anna", last_name="Koval")
    visitor.say("/start")
    visitor.hears("Welcome, Anna Koval!", MENU)
    until(lambda: refused()["state"] == "polling" and not refused()["last_error"], "all is well")
    name = company.read("chatbridge.channel", [("id", "=", broken.channel)], ["username"])[0]["username"]
    assert name == broken.username
