"""X-7: Odoo away in mid-dialog: the dialog goes on, everything arrives afterwards, in order."""

import time

import pytest
from world import until


@pytest.fixture(scope="module")
def installation(private_installation):
    """A PostgreSQL of this file's own: the shared one serves other tests, too."""
    return private_installation


@pytest.fixture(scope="module")
def postgres(installation):
    """The database server, to restart."""
    return installation.postgres


MENU = "What would you like to know?"


def test_odoo_stopped_in_mid_dialog(bridge, odoo, company, shop, customer, make_customer):
    """The dialog goes on without Odoo, also for a new customer, and also when the bridge itself is started meanwhile."""
    customer.say("/start")
    customer.hears("Welcome, Anna Koval!", MENU)
    odoo.kill()
    customer.press("Prices")
    customer.hears("Everything costs 5 €.")
    talker, said = make_customer("Ihor"), []
    talker.say("/start")
    end = time.monotonic() + 60
    while time.monotonic() < end:
        # A minute of talk: longer than the lease lasts.
        talker.say("Prices")
        said.append("Prices")
        until(lambda: talker.heard().count("Everything costs 5 €.") == len(said), "answered without Odoo")
        talker.say("/start")
        until(lambda: talker.heard().count(MENU) == len(said) + 1, "begun anew without Odoo")
    newcomer = make_customer("Oksana")
    newcomer.say("/start")
    newcomer.hears("Welcome, Oksana!", MENU)
    until(lambda: "Odoo cannot be reached" in bridge.state()[1], "the bridge says what it lacks")
    bridge.kill()
    bridge.start()
    newcomer.press("Hours")
    newcomer.hears("9 to 18")
    odoo.start()
    company.admin = odoo.rpc()
    company.has_messages(
        shop, customer.user,
        ("customer", "/start"), ("bot", "Welcome, Anna Koval!"), ("bot", MENU), ("customer", "Prices"), ("bot", "Everything costs 5 €."),
    )
    company.has_messages(
        shop, newcomer.user,
        ("customer", "/start"), ("bot", "Welcome, Oksana!"), ("bot", MENU), ("customer", "Hours"), ("bot", "9 to 18"),
    )
    greeting = [("customer", "/start"), ("bot", "Welcome, Ihor!"), ("bot", MENU)]
    turn = [("customer", "Prices"), ("bot", "Everything costs 5 €."), *greeting]
    company.has_messages(shop, talker.user, *greeting, *(turn * len(said)))
    until(lambda: bridge.state() == (200, "working"), "all is well again")


def test_postgresql_restarted_in_mid_dialog(bridge, postgres, company, shop, customer):
    """Odoo loses its database for a moment: writes wait and come through."""
    customer.say("/start")
    customer.hears("Welcome, Anna Koval!", MENU)
    postgres.restart()
    customer.press("Prices")
    customer.hears("Everything costs 5 €.")
    until(lambda: answers(company), "Odoo has found its database again")
    company.has_messages(
        shop, customer.user,
        ("customer", "/start"), ("bot", "Welcome, Anna Koval!"), ("bot", MENU), ("customer", "Prices"), ("bot", "Everything costs 5 €."),
    )


def test_the_store_lost(bridge, make_bridge, company, shop, customer, tmp_path):
    """The data folder is gone: after an admin's confirmation conversations come back from Odoo, at their place."""
    customer.say("/start")
    customer.hears("Welcome, Anna Koval!", MENU)
    company.has_messages(shop, customer.user, ("customer", "/start"), ("bot", "Welcome, Anna Koval!"), ("bot", MENU))
    until(lambda: company.conversations(shop, customer.user)[0]["step_id"], "the position is copied")
    bridge.kill()
    company.accept(make_bridge(folder=tmp_path / "new"))
    customer.press("Prices")
    customer.hears(MENU, "Everything costs 5 €.")
    company.has_messages(
        shop, customer.user,
        ("customer", "/start"), ("bot", "Welcome, Anna Koval!"), ("bot", MENU), ("customer", "Prices"), ("bot", "Everything costs 5 €."),
    )
    assert len(company.conversations(shop, customer.user)) == 1


def answers(company) -> bool:
    """Tell whether Odoo answers a question about its data."""
    try:
        return bool(company.read("res.users", [("login", "=", "admin")], ["id"]))
    except Exception:  # noqa: BLE001: whatever it says while its database is away
        return False
