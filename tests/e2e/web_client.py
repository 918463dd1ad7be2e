"""Odoo's web client as a person uses it, alike on every series."""

import re

from browser import Window
from form import Form
from playwright.sync_api import Locator, expect

#: The last word of the breadcrumbs: where we are.
TITLE = ".o_control_panel :is(.breadcrumb-item.active, .o_last_breadcrumb_item)"
DIALOG = ".modal:visible"
#: Odoo's own guided tours lay their pointer over what a new admin should press.
NO_TOURS = """addEventListener("DOMContentLoaded", () => {
    const style = document.createElement("style");
    style.textContent = ".o_tour_pointer, .o_tooltip { display: none !important; }";
    document.head.append(style);
})"""


class WebClient:
    """One person's window on Odoo, after the login."""

    def __init__(self, window: Window, url: str, login: str, password: str):
        self.window, self.page, self.url = window, window.page, url
        page = window.page
        page.add_init_script(NO_TOURS)
        page.goto(f"{url}/web/login")
        page.fill("input[name=login]", login)
        page.fill("input[name=password]", password)
        page.press("input[name=password]", "Enter")
        page.wait_for_selector(".o_main_navbar")
        page.wait_for_selector(".o_action_manager > *")

    # Menus

    def apps(self) -> list:
        """The names of the apps that the person sees."""
        self._open_apps()
        names = self.page.locator(".o_app:visible").all_inner_texts()
        self.page.keyboard.press("Escape")
        return [name.strip() for name in names]

    def open_app(self, xml_id: str = "chatbridge.menu_root"):
        """Enter an app; ours if none is named."""
        self._open_apps()
        self.page.click(f".o_app[data-menu-xmlid='{xml_id}']")
        self.window.settle()

    def _open_apps(self):
        self.page.click(":is(.o_menu_apps > li > a, .o_navbar_apps_menu button)")
        self.page.wait_for_selector(".o_app:visible")

    def sections(self) -> list:
        """The menus at the top."""
        entries = self.page.locator(".o_menu_sections > :is(li, a, button):visible")
        expect(entries.first).to_be_visible()
        return [text.strip() for text in entries.all_inner_texts()]

    def entries(self, section: str) -> list:
        """The menus under one at the top."""
        self._unfold(section)
        names = self._unfolded().all_inner_texts()
        self.page.keyboard.press("Escape")
        return [name.strip() for name in names]

    def menu(self, name: str, section: str = ""):
        """Go to one of our menus, by the last part of its XML ID; wait until its view is there."""
        if section:
            self._unfold(section)
        entry = self.page.locator(f"[data-menu-xmlid='chatbridge.menu_{name}']:visible").first
        entry.click()
        self.window.settle()

    def _unfold(self, section: str):
        self.page.locator(f"[data-menu-xmlid='chatbridge.menu_{section}']:visible").click()
        expect(self._unfolded().first).to_be_visible()

    def _unfolded(self) -> Locator:
        return self.page.locator(":is(.o_menu_sections .dropdown-menu, .o-dropdown--menu) :is(a, button).dropdown-item:visible")

    # Where we are

    def title(self) -> str:
        """The last breadcrumb."""
        return self.page.locator(TITLE).inner_text().strip()

    def arrives_at(self, title: str) -> "WebClient":
        """Wait until we are there."""
        expect(self.page.locator(TITLE).first).to_contain_text(title)
        return self

    def arrives_below(self, title: str) -> "WebClient":
        """Wait until we are one level deeper, at a record that may have no name yet."""
        expect(self.page.locator(".o_control_panel .breadcrumb a").last).to_have_text(title)
        self.window.settle()
        return self

    def back(self):
        """Go to where we came from."""
        self.page.locator(".o_control_panel .breadcrumb a").last.click()
        self.window.settle()

    # What stands there

    @property
    def form(self) -> Form:
        """The form that is open."""
        return Form(self.window)

    def card(self, text: str) -> Locator:
        """A card by its heading."""
        heading = self.page.locator("strong", has_text=re.compile(rf"^\s*{re.escape(text)}\s*$"))
        return self.page.locator(".o_kanban_record:visible", has=heading)

    def press_on_card(self, text: str, button: str):
        """Press a button of a card."""
        self.card(text).get_by_role("button", name=button).click()
        self.window.settle()

    def row(self, text: str) -> Locator:
        """A line of a list by a text in it."""
        return self.page.locator(".o_data_row:visible", has_text=text)

    def cell(self, text: str) -> Locator:
        """The cell of a list with exactly this text."""
        return self.page.locator(".o_data_cell:visible", has_text=re.compile(rf"^\s*{re.escape(text)}\s*$"))

    def create(self) -> Form:
        """Press *Create* (*New*)."""
        self.page.click(":is(.o_list_button_add, .o-kanban-button-new, .o_form_button_create):visible")
        self.page.wait_for_selector(".o_form_editable:visible")
        self.window.settle()
        return self.form

    def actions(self) -> list:
        """What the action menu offers; it stays open."""
        self.page.click(".o_cp_action_menus :is(button:has-text('Action'), button:has(.fa-cog)):visible")
        items = self.page.locator(":is(.o_cp_action_menus .dropdown-menu, .o-dropdown--menu) .dropdown-item:visible, .o_cp_action_menus .o_menu_item:visible")
        expect(items.first).to_be_visible()
        return [text.strip() for text in items.all_inner_texts()]

    def act(self, name: str):
        """Choose from the action menu."""
        self.actions()
        self.page.locator(":is(.dropdown-item, .o_menu_item):visible", has_text=re.compile(rf"^\s*{name}\s*$")).first.click()
        self.window.settle()

    # Dialogs

    def dialog(self) -> str:
        """Wait for a dialog; return what it says."""
        body = self.page.locator(f"{DIALOG} .modal-body").last
        expect(body).to_be_visible()
        return " ".join(body.inner_text().split())

    def answer(self, button: str = ""):
        """Press a button of the dialog, the first one if none is named; wait until it is gone."""
        dialog = self.page.locator(DIALOG).last
        dialog.locator(".modal-footer button:visible", has_text=button or re.compile("")).first.click()
        expect(self.page.locator(DIALOG)).to_have_count(0)
        self.window.settle()
