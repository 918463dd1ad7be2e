"""SET-3, SET-4, SET-8, B-9: webhook and polling, and the buttons of a chat's form, in the whole product."""

import time

import pytest
from lab_odoo.rpc import OdooError
from playwright.sync_api import expect
from web_client import WebClient
from world import free_port, http, until

MENU = "What would you like to know?"
PRICES = "Everything costs 5 €."
HOURS = "9 to 18"


@pytest.fixture(scope="module", autouse=True)
def local_webhooks(company):
    """Telegram's stand-in delivers on this machine, as the real one would not."""
    company.call("ir.config_parameter", "set_param", "chatbridge.allow_local_webhook", "1")


def channel(company, shop) -> dict:
    """What the chat's form shows."""
    fields = ["state", "hook_state", "hook_answer", "username", "last_update_at", "last_error", "state_since", "bridge_connected"]
    return company.read("chatbridge.channel", [("id", "=", shop.channel)], fields)[0]


def refresh(company, shop) -> dict:
    """Press *Refresh hook*; what the form then shows."""
    company.call("chatbridge.channel", "action_refresh_hook", [shop.channel])
    return channel(company, shop)


def hook(sandbox, shop) -> str:
    """Where Telegram delivers."""
    return next(bot["webhook"] for bot in sandbox.get("bots")["bots"] if bot["username"] == shop.username) or ""


def ask(customer, label: str) -> list:
    """Begin anew and choose, without waiting for an answer; what will then be on record."""
    customer.say("/start")
    customer.say(label)
    answer = PRICES if label == "Prices" else HOURS
    return [("customer", "/start"), ("bot", "Welcome, Anna Koval!"), ("bot", MENU), ("customer", label), ("bot", answer)]


def words_of(bot_and_customer: list) -> list:
    """What the bot says in it."""
    return [text for author, text in bot_and_customer if author == "bot"]


def test_to_the_webhook_and_back_while_a_customer_talks(bridge, company, shop, customer, sandbox):
    """SET-4: both ways nothing is lost, doubled or overtaken; the form shows the state."""
    said = ask(customer, "Prices")
    for turn in range(6):
        company.write("chatbridge.channel", shop.channel, webhook_url=bridge.url if turn % 2 == 0 else False)
        for label in ("Prices", "Hours", "Prices"):
            said += ask(customer, label)
        state = "webhook" if turn % 2 == 0 else "polling"
        until(lambda: channel(company, shop)["state"] == state, f"the chat is in {state}")  # noqa: B023
    assert hook(sandbox, shop) == ""
    company.has_messages(shop, customer.user, *said)
    assert customer.heard() == words_of(said)
    assert channel(company, shop)["last_update_at"]


def test_refresh_answers_at_once(bridge, company, shop, sandbox):
    """SET-3: in Telegram's own words, with the username; what was saved just before is in force."""
    company.live()
    began = time.monotonic()
    shown = refresh(company, shop)
    assert time.monotonic() - began < 5
    assert (shown["hook_state"], shown["hook_answer"], shown["username"]) == ("ok", "Webhook is already deleted", shop.username)
    company.write("chatbridge.channel", shop.channel, webhook_url=bridge.url + "/")
    shown = refresh(company, shop)
    assert shown["hook_state"] == "ok" and shown["hook_answer"] in ("Webhook was set", "Webhook is already set")
    assert hook(sandbox, shop) == f"{bridge.url}/telegram/{shop.channel}"
    until(lambda: channel(company, shop)["state"] == "webhook", "the form shows it")
    company.write("chatbridge.channel", shop.channel, webhook_url=False)
    assert refresh(company, shop)["hook_state"] == "ok"
    assert hook(sandbox, shop) == ""


def test_refresh_calls_the_bridge_once(bridge, company, shop):
    """SET-3: the bridge's heartbeat writes the same row meanwhile, and still nothing is done twice."""
    company.live()
    refresh(company, shop)
    company.write("chatbridge.channel", shop.channel, webhook_url=bridge.url)
    refresh(company, shop)
    until(lambda: channel(company, shop)["state"] == "webhook", "the form shows it")
    assert bridge.metric("calls_total") == 2


def test_refresh_where_the_bridge_cannot_be_called(make_bridge, company, shop, sandbox):
    """SET-3: soon, by an event."""
    company.accept(make_bridge(CHATBRIDGE_NUDGE_URL="none"))
    company.live()
    began = time.monotonic()
    assert refresh(company, shop)["hook_state"] == "checking"
    assert time.monotonic() - began < 1
    until(lambda: channel(company, shop)["hook_state"] == "ok", "the answer comes", 10)
    assert channel(company, shop)["hook_answer"] == "Webhook is already deleted"


def test_refresh_without_a_bridge(make_bridge, company, shop):
    """SET-3, SET-6: a bridge that has been killed: the form says so, and the answer comes when it is back."""
    bridge = company.accept(make_bridge())
    company.live()
    bridge.kill()
    began = time.monotonic()
    assert refresh(company, shop)["hook_state"] == "checking"
    assert time.monotonic() - began < 5
    bridge.start()
    until(lambda: channel(company, shop)["hook_state"] == "ok", "the answer comes")


def test_a_wrong_and_a_revoked_token(bridge, company, shop, customer, sandbox):
    """SET-3, SET-6: readable, with what to do, and without the token; right again, it goes on at once."""
    right = shop.token
    company.write("chatbridge.channel", shop.channel, token=right + "X")
    shown = refresh(company, shop)
    assert shown["hook_state"] == "wrong" and "@BotFather" in shown["hook_answer"] and right not in str(shown)
    until(lambda: channel(company, shop)["state"] == "refused", "the form shows it")
    assert "@BotFather" in channel(company, shop)["last_error"]
    company.write("chatbridge.channel", shop.channel, token=right)
    assert refresh(company, shop)["hook_state"] == "ok"
    ask(customer, "Prices")
    customer.hears(PRICES)
    sandbox.fault(kind="unauthorized", bot=shop.username, times=1000)
    ask(customer, "Hours")
    until(lambda: channel(company, shop)["state"] == "refused", "a token that was revoked is told")
    sandbox.no_faults()
    company.call("chatbridge.channel", "action_run_now", [shop.channel])
    customer.hears(HOURS)
    until(lambda: channel(company, shop)["state"] == "polling", "it goes on")


def test_a_token_that_is_known_already(company, shop):
    """SET-3: the form names the chat that has it."""
    with pytest.raises(OdooError) as problem:
        company.create("chatbridge.channel", name="Again", bot_id=shop.bot, token=shop.token)
    assert shop.username in problem.value.message and shop.token not in problem.value.message


def test_a_webhook_that_leads_nowhere(bridge, company, shop, customer, sandbox):
    """SET-6, SET-8: Telegram's error stands on the form, and nothing is lost."""
    company.write("chatbridge.channel", shop.channel, webhook_url=f"http://127.0.0.1:{free_port()}")
    until(lambda: channel(company, shop)["state"] == "webhook", "it is set")
    customer.say("/start")
    until(lambda: "Connection refused" in (refresh(company, shop)["hook_answer"] or ""), "Telegram's error is shown")
    company.write("chatbridge.channel", shop.channel, webhook_url=False)
    customer.hears("Welcome, Anna Koval!", MENU)


def test_addresses_are_refused_before_telegram_is_asked(company, shop):
    """SET-8: as it is without the parameter for trying out."""
    company.call("ir.config_parameter", "set_param", "chatbridge.allow_local_webhook", "")
    for address in ("http://bot.example.com", "https://localhost", "https://192.168.0.2", "https://bot.example.com:8079"):
        with pytest.raises(OdooError):
            company.write("chatbridge.channel", shop.channel, webhook_url=address)
    company.call("ir.config_parameter", "set_param", "chatbridge.allow_local_webhook", "1")


@pytest.mark.parametrize("webhook", [False, True], ids=["polling", "webhook"])
def test_archived_it_does_nothing_and_unarchived_it_starts_at_once(webhook, bridge, company, shop, customer, sandbox):
    """B-9, SET-5: channel and bot, within two seconds."""
    if webhook:
        company.write("chatbridge.channel", shop.channel, webhook_url=bridge.url)
        until(lambda: channel(company, shop)["state"] == "webhook", "it is set")
    said = ask(customer, "Prices")
    customer.hears(*words_of(said))
    for model, record, label in (("chatbridge.channel", shop.channel, "Hours"), ("chatbridge.bot", shop.bot, "Prices")):
        heard = customer.heard()
        company.write(model, record, active=False)
        company.live()
        # The bridge lets Telegram go: neither a poll nor a webhook is left.
        until(lambda: not hook(sandbox, shop) and not polling(sandbox, shop), "Telegram keeps the updates")
        said += ask(customer, label)
        assert bridge.state()[0] == 200
        assert customer.heard() == heard
        began = time.monotonic()
        company.write(model, record, active=True)
        customer.hears(*words_of(said)[-3:])
        assert time.monotonic() - began < 2
        assert customer.heard() == words_of(said)


def polling(sandbox, shop) -> int:
    """How many polls are open."""
    return next(bot["polling"] for bot in sandbox.get("bots")["bots"] if bot["username"] == shop.username)


def test_the_bridge_killed_in_webhook_mode(bridge, company, shop, customer, sandbox):
    """SET-4: what is written while it is away comes after it, once."""
    company.write("chatbridge.channel", shop.channel, webhook_url=bridge.url)
    until(lambda: channel(company, shop)["state"] == "webhook", "it is set")
    said = ask(customer, "Prices")
    customer.hears(PRICES)
    bridge.kill()
    said += ask(customer, "Hours") + ask(customer, "Prices")
    bridge.start()
    customer.hears(*words_of(said))
    assert customer.heard() == words_of(said)


def test_only_telegram_delivers(bridge, company, shop, customer):
    """SET-4: without the secret nothing is taken in, and the secret is in no log."""
    import urllib.error

    company.write("chatbridge.channel", shop.channel, webhook_url=bridge.url)
    until(lambda: channel(company, shop)["state"] == "webhook", "it is set")
    for path, status in ((f"telegram/{shop.channel}", 401), ("telegram/999999", 404)):
        with pytest.raises(urllib.error.HTTPError) as problem:
            http("POST", f"{bridge.url}/{path}", {"update_id": 1})
        assert problem.value.code == status
        problem.value.close()
    secret = sandbox_secret(customer.sandbox, shop)
    assert len(secret) == 64 and secret not in bridge.all_logs()


def sandbox_secret(sandbox, shop) -> str:
    """The secret that the bridge gave to Telegram."""
    return sandbox.calls(shop.username, "setWebhook")[-1]["params"]["secret_token"]


def test_the_form_in_a_browser(bridge, browser, odoo, company, shop):
    """SET-3, SET-8, B-9: how to get a token, what is wrong with an address before it is saved, the buttons' answers."""
    company.call("ir.config_parameter", "set_param", "chatbridge.allow_local_webhook", "")
    company.live()
    client = WebClient(browser.window(), odoo.url, "admin", "admin")
    client.open_app()
    client.menu("chats", section="settings")
    client.arrives_at("Chats")
    form = client.create()
    shown = lambda text: client.page.locator(f".alert:visible:has-text('{text}')")  # noqa: E731
    expect(shown("/newbot")).to_have_count(1)
    form.fill("webhook_url", "https://localhost")
    expect(shown("inside your own network")).to_have_count(1)
    form.fill("webhook_url", "https://bot.example.com")
    expect(shown("inside your own network")).to_have_count(0)
    client.page.goto(f"{client.url}/web")
    client.open_app()
    client.menu("chats", section="settings")
    client.cell(shop.username).first.click()
    client.arrives_at(shop.username)
    expect(shown("@BotFather")).to_have_count(0)
    form.press("Refresh hook")
    expect(form.field("hook_answer")).to_contain_text("Webhook is already deleted")
    form.press("Run now")
    expect(client.page.get_by_text("The bridge fetches and sends now.")).to_be_visible()
    assert not client.window.troubles
    company.call("ir.config_parameter", "set_param", "chatbridge.allow_local_webhook", "1")
