"""`make screenshots`: pictures of every view and of the chat page, by series and language, to look at; and the README's pictures.

They go to CACHE/screenshots/SERIES/LANGUAGE/NAME.png; the README's (of 19, English) to docs/images.
"""

import os
import shutil
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
REPOSITORY = HERE.parent.parent
sys.path[:0] = [str(HERE), str(HERE.parent / "lab"), str(HERE.parent / "demo")]

from browser import Browser  # noqa: E402
from company import Company  # noqa: E402
from demo import TOKEN, USERNAME, build, furnish  # noqa: E402
from lab_odoo import Installation, OdooServer  # noqa: E402
from web_client import WebClient  # noqa: E402
from world import Bridge, Sandbox, until  # noqa: E402

CACHE = Path(os.environ.get("CHATBRIDGE_CACHE", Path.home() / ".cache" / "chatbridge"))
IMAGES = REPOSITORY / "docs" / "images"
LANGUAGES = {"en": "en_US", "uk": "uk_UA"}
SETTINGS = ("messengers", "step_aliases", "chats", "bridge")


class Photographer:
    """Takes pictures of one person's window into one folder."""

    def __init__(self, client: WebClient, folder: Path):
        self.client, self.page, self.folder = client, client.page, folder
        folder.mkdir(parents=True, exist_ok=True)

    def take(self, name: str):
        """Take a picture of what is there now."""
        self.page.mouse.move(1360, 890)
        self.client.window.settle()
        self.page.locator(".o_loading").wait_for(state="hidden")
        self.page.screenshot(path=self.folder / f"{name}.png", animations="disabled")

    def menu(self, name: str, picture: str = ""):
        """Go to a menu and take it."""
        self.client.menu(name, section="settings" if name in SETTINGS else "")
        self.take(picture or name)

    def opened(self, text: str, picture: str):
        """Open a line or card by its text; take the form and each of its tabs."""
        self.page.locator(":is(.o_kanban_record, .o_data_row .o_data_cell):visible", has_text=text).first.click()
        self.page.wait_for_selector(".o_form_view:visible")
        self.client.window.settle()
        self.tabs(picture)

    def tabs(self, picture: str):
        """Take the form with each of its tabs."""
        links = self.page.locator(".o_form_view:visible .o_notebook .nav-link:visible")
        for number in range(max(links.count(), 1)):
            if links.count():
                links.nth(number).click()
            self.take(picture if number == 0 else f"{picture}-{number + 1}")


def before(camera: Photographer):
    """What a new company sees."""
    for name in ("bots", "conversations", "senders", "messengers", "chats", "bridge"):
        camera.menu(name, f"new-{name}")


def after(camera: Photographer):
    """What stands there when a bot works."""
    client = camera.client
    camera.menu("bots")
    camera.opened("Client Chat", "bot")
    camera.page.locator(".o_form_view:visible .o_notebook .nav-link:visible").first.click()
    client.form.edit()
    camera.take("bot-edit")
    camera.page.locator("button[name=action_add_step]:visible").click()
    client.arrives_below("Client Chat")
    client.form.edit()
    camera.take("step-new")
    client.menu("bots")
    camera.page.click(":is(.o_switch_view.o_list):visible")
    camera.take("bots-list")
    client.create()
    camera.take("bot-new")
    client.menu("bots")
    camera.opened("Operator Chat", "bot-operator")
    client.menu("bots")
    camera.page.locator(".o_kanban_record:visible", has_text="Client Chat").click()
    camera.page.wait_for_selector(".o_form_view:visible")
    camera.page.locator("button[name=action_steps]:visible").click()
    client.window.settle()
    camera.take("steps")
    camera.opened("Prices, Opening hours", "step")
    camera.page.locator(".o_form_view:visible .o_notebook .nav-link:visible").first.click()
    client.form.edit()
    camera.tabs("step-edit")
    client.back()
    client.arrives_below("Client Chat")
    camera.page.locator(".o_data_row:visible").first.locator(".o_data_cell[name=name], .o_data_cell").nth(1).click()
    camera.page.wait_for_selector(".o_form_view:visible")
    camera.take("step-first")
    for name, picture, text in (("chats", "chat", "Demo shop"), ("conversations", "conversation", "Anna Koval"), ("senders", "sender", "Anna Koval")):
        camera.menu(name)
        camera.opened(text, picture)
    camera.page.locator(".o_form_view:visible .oe_stat_button").first.click()
    client.window.settle()
    camera.take("sender-conversations")
    client.menu("conversations")
    camera.page.locator(".o_data_row .o_data_cell:visible", has_text="Petro").first.click()
    camera.page.locator("button[name=action_messages]:visible").click()
    client.window.settle()
    camera.take("messages")
    camera.menu("chats")
    client.create()
    camera.take("chat-new")
    for name in ("messengers", "step_aliases", "bridge"):
        camera.menu(name)
    operators(camera)


def operators(camera: Photographer):
    """Operators: adding one, joining a channel, the step that leads to them, their consultations; the cards on a phone."""
    client, page = camera.client, camera.page
    client.menu("bots")
    client.card("Operator Chat").click()
    page.wait_for_selector(".o_form_view:visible")
    page.locator("button[name=action_consultations]:visible").click()
    client.window.settle()
    camera.take("consultations")
    client.back()
    page.locator("button[name=action_join_channel]:visible").click()
    client.dialog()
    camera.take("join-channel")
    page.locator(".modal:visible .modal-footer button[special=cancel], .modal:visible .modal-footer button.btn-secondary").last.click()
    client.form.edit()
    page.locator(".o_form_view:visible .o_notebook .nav-link:visible").last.click()
    page.locator(".o_field_widget[name=operator_ids]:visible .o_field_x2many_list_row_add a").click()
    client.dialog()
    camera.take("operator-new")
    page.goto(f"{client.url}/web")
    client.open_app()
    client.menu("bots")
    client.card("Client Chat").click()
    page.wait_for_selector(".o_form_view:visible")
    client.row("Operator Chat").first.locator("button[name=action_open]").click()
    client.arrives_below("Client Chat")
    client.form.edit()
    camera.take("step-operator")
    client.menu("bots")
    page.set_viewport_size({"width": 390, "height": 800})
    camera.take("bots-phone")
    page.set_viewport_size({"width": 1366, "height": 900})


def staff(company: Company):
    """The admin answers customers, and the demo's menu leads to them."""
    bot = company.read("chatbridge.bot", [("kind", "=", "operator")], ["id"])[0]["id"]
    company.call("chatbridge.bot", "action_join", [bot])
    menu = company.read("chatbridge.step", [("answer_ids.name", "=", "Prices")], ["id", "bot_id"])[0]
    step = company.create("chatbridge.step", bot_id=menu["bot_id"][0], kind="operator", operator_bot_id=bot, next_step_id=menu["id"])
    company.create("chatbridge.step.answer", step_id=menu["id"], name="Talk to a person", next_step_id=step)


def talk(company: Company, sandbox: Sandbox):
    """Two customers talk; one of them leaves."""
    anna = sandbox.customer(USERNAME, 7_000_000_001, "Anna", last_name="Koval", username="anna_koval", language_code="en")
    petro = sandbox.customer(USERNAME, 7_000_000_002, "Petro")
    for customer in (petro, anna):
        customer.say("hello")
        customer.hears("Press /start to talk.")
        customer.say("/start")
        until(lambda: len(customer.heard()) == 3, "greeted")  # noqa: B023
        for number, button in enumerate(("Prices", "Opening hours", "Where are you?"), 2):
            customer.press(button)
            until(lambda: customer.heard()[-1] == "Khreshchatyk 1, Kyiv" or len(customer.heard()) == 2 * number + 1, "answered")  # noqa: B023
    anna.press("Talk to a person")
    until(lambda: company.read("chatbridge.consultation", [], ["id"]), "Odoo knows that Anna wants a person")
    petro.block()
    until(lambda: company.read("chatbridge.membership", [("blocked", "=", True)], ["id"]), "Odoo knows that Petro left")
    until(lambda: company.read("chatbridge.channel", [("last_update_at", "!=", False)], ["id"]), "Odoo knows how the chat fares")
    until(lambda: company.read("chatbridge.bridge.status", [("operations_waiting", "=", 0)], ["id"]), "nothing waits")


def photograph_page(browser: Browser, sandbox: Sandbox, folder: Path, language: str):
    """The chat page, wide and narrow."""
    for name, width in (("chat-page", 1000), ("chat-page-narrow", 390)):
        window = browser.window(width, 700, language)
        window.page.goto(f"{sandbox.url}/?bot={USERNAME}&user=7000000001")
        window.page.get_by_test_id("message").last.wait_for()
        window.page.screenshot(path=folder / f"{name}.png", animations="disabled")
        window.close()


def photograph_for_readme(camera: Photographer, browser: Browser, sandbox: Sandbox):
    """What the README shows: the chat and the same conversation in Odoo."""
    window = browser.window(900, 980)
    window.page.goto(f"{sandbox.url}/?bot={USERNAME}&user=7000000001")
    window.page.get_by_test_id("message").last.wait_for()
    window.page.screenshot(path=IMAGES / "chat.png", animations="disabled")
    window.close()
    camera.page.set_viewport_size({"width": 1000, "height": 900})
    camera.client.menu("conversations")
    camera.page.locator(".o_data_row .o_data_cell:visible", has_text="Anna Koval").first.click()
    camera.page.wait_for_selector(".o_form_view:visible")
    camera.client.window.settle()
    camera.page.mouse.move(990, 890)
    camera.page.screenshot(path=IMAGES / "conversation.png", animations="disabled")


def speak(company: Company, odoo, language: str):
    """Let the admin read Odoo in a language."""
    company.write("res.users", company.admin.uid, lang=language)


def run(series: str):
    """All pictures of a series."""
    place = Path(tempfile.mkdtemp(prefix="chatbridge-pictures-"))
    addons = build(series, place / "addons")
    there = Installation(series)
    database = there.clone(there.template([addons], "chatbridge"))
    folder = CACHE / "screenshots" / series
    sandbox, bridge = Sandbox(), None
    try:
        with OdooServer(there, database, [addons]) as odoo, Browser() as browser:
            company = Company(odoo, activate=False)

            def cameras():
                for short, language in LANGUAGES.items():
                    speak(company, odoo, language)
                    window = browser.window(language=language.replace("_", "-"))
                    client = WebClient(window, odoo.url, "admin", "admin")
                    client.open_app()
                    yield Photographer(client, folder / short)
                    window.close()

            for camera in cameras():
                before(camera)
            speak(company, odoo, "en_US")
            company.activate_telegram()
            furnish(company)
            staff(company)
            sandbox.add_bot(TOKEN, USERNAME, "Demo shop")
            bridge = Bridge(odoo.url, sandbox, place / "data", database).start()
            talk(company, sandbox)
            for camera in cameras():
                after(camera)
                photograph_page(browser, sandbox, camera.folder, camera.folder.name)
                if (series, camera.folder.name) == ("19", "en"):
                    photograph_for_readme(camera, browser, sandbox)
            odoo.kill()
    finally:
        for process in (bridge and bridge.process, sandbox):
            if process:
                process.kill()
        there.drop(database)
        shutil.rmtree(place, ignore_errors=True)
    print(f"{folder}: {len(list(folder.glob('*/*.png')))} pictures")


if __name__ == "__main__":
    for number in os.environ.get("SERIES", "14 19").split():
        run(number)
