import io
from pathlib import Path

import polib

from odoo import release
from odoo.tests import TransactionCase, tagged
from odoo.tools.translate import trans_export

UK = Path(__file__).parent.parent / "i18n" / "uk.po"


@tagged("post_install", "-at_install")
class TestTranslations(TransactionCase):
    """Both languages in full (X-5): what Odoo itself exports as translatable is in uk.po."""

    def exported(self, language):
        """Return ``{term: translation}`` as Odoo's own export gives it."""
        buffer = io.BytesIO()
        last = self.env if release.version_info[0] >= 19 else self.env.cr
        trans_export(language, ["chatbridge"], buffer, "po", last)
        return {entry.msgid: entry.msgstr for entry in polib.pofile(buffer.getvalue().decode())}

    def written(self):
        """Return ``{term: translation}`` as the file has it."""
        return {entry.msgid: entry.msgstr for entry in polib.pofile(str(UK))}

    def test_every_term_is_translated(self):
        written = self.written()
        missing = [term for term in self.exported(False) if not written.get(term)]
        self.assertFalse(missing, "no Ukrainian in i18n/uk.po")

    def test_odoo_takes_the_translations(self):
        if not self.env["res.lang"].search([("code", "=", "uk_UA")]):
            self.skipTest("Ukrainian is not installed in this database")
        # Odoo leaves out what is the same in both languages, such as «Telegram».
        differ = {term for term, translation in self.written().items() if translation != term}
        missing = [term for term, translation in self.exported("uk_UA").items() if not translation and term in differ]
        self.assertFalse(missing, "Odoo does not show the translation of uk.po")

    def test_shipped_texts_are_translated(self):  # B-8, B-SET-4
        if not self.env["res.lang"].search([("code", "=", "uk_UA")]):
            self.skipTest("Ukrainian is not installed in this database")
        bot = self.env.ref("chatbridge.bot_client").with_context(lang="uk_UA")
        self.assertIn("Вітаємо", bot.step_ids[0].text)
        self.assertIn("Натисніть /start", bot.not_started_message)
        fresh = self.env["chatbridge.bot"].create({"name": "New"})
        self.assertIn("Натисніть /start", fresh.with_context(lang="uk_UA").not_started_message)
        self.assertEqual(fresh.with_context(lang="en_US").not_started_message, "Press /start to talk.")

    def test_shipped_texts_of_consultations_are_translated(self):  # B-SET-5, B-SET-6, B-SET-7, B-SET-8, B-SET-9, B-SET-10, B-SET-11
        if not self.env["res.lang"].search([("code", "=", "uk_UA")]):
            self.skipTest("Ukrainian is not installed in this database")
        fresh = self.env["chatbridge.bot"].create({"name": "New", "kind": "operator"})
        for bot in (self.env.ref("chatbridge.bot_operator"), fresh):
            ukrainian = bot.with_context(lang="uk_UA")
            self.assertEqual(ukrainian.operator_connected_message, "на зв’язку. Можете писати!")
            for name in bot._default_texts():
                self.assertNotEqual(ukrainian[name], bot.with_context(lang="en_US")[name], name)
