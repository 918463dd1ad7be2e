"""Two operators at their screens, two customers at theirs: everybody sees the right things, without a reload."""

import pytest
from desk import PASSWORD
from discuss import ChatWindow
from test_consultation import ELSE, ENDED, JOINED, LOOKING, MENU, WELCOME, open_desk  # noqa: F401 - a fixture
from test_page import Chat
from web_client import WebClient


@pytest.fixture
def sits_down(browser, odoo):
    """Opens Odoo for an operator."""
    clients = []

    def sits_down(operator):
        client = WebClient(browser.window(), odoo.url, operator.login, PASSWORD)
        clients.append(client)
        # Chat windows pop up in every app but Discuss itself.
        client.open_app()
        return client

    yield sits_down
    for client in clients:
        client.window.close()


def test_two_operators_and_two_customers(bridge, company, open_desk, sits_down, browser, sandbox):  # noqa: F811
    """OP-6, OP-2, OP-11, X-1: the window pops up in the right browser with the conversation so far; words go both ways, live."""
    desk = open_desk(most=1)
    julia, oleh = desk.hire("Julia"), desk.hire("Oleh")
    company.live()
    screens = {operator: sits_down(operator) for operator in (julia, oleh)}
    chats = {}
    for name in ("Anna", "Petro"):
        chats[name] = Chat(browser.window(width=420), sandbox, desk.customer(name)).start()
    shown = {"Anna": "Anna Koval", "Petro": "Petro"}
    for name, chat in chats.items():
        chat.press("Operator")
        chat.shows("/start", f"Welcome, {shown[name]}!", MENU, "Operator", LOOKING, JOINED)
    serves = {name: next(o for o in (julia, oleh) if any(shown[name] in c["discuss_channel_id"][1] for c in o.consultations())) for name in chats}
    assert serves["Anna"] is not serves["Petro"]
    windows = {name: ChatWindow(screens[serves[name]], shown[name]).pops_up() for name in chats}
    for name, window in windows.items():
        window.shows("Operator").shows(LOOKING)
        other = next(o for o in (julia, oleh) if o is not serves[name])
        ChatWindow(screens[other], shown[name]).is_absent()
    for name, chat in chats.items():
        chat.write(f"I am {name}")
        windows[name].shows(f"I am {name}")
        windows[name].say(f"Good day, {name}")
        chat.shows("/start", f"Welcome, {shown[name]}!", MENU, "Operator", LOOKING, JOINED, f"I am {name}", f"Good day, {name}")
    chats["Anna"].write("/end")
    chats["Anna"].shows(
        "/start", WELCOME, MENU, "Operator", LOOKING, JOINED, "I am Anna", "Good day, Anna", "/end", ENDED, ELSE
    )
    windows["Petro"].say("/end")
    chats["Petro"].shows("/start", "Welcome, Petro!", MENU, "Operator", LOOKING, JOINED, "I am Petro", "Good day, Petro", ENDED, ELSE)
    for chat in chats.values():
        chat.close()
    for screen in screens.values():
        assert not screen.window.troubles
