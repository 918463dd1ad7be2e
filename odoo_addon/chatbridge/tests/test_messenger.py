from unittest.mock import patch

from odoo.exceptions import UserError
from odoo.tests import tagged

from .common import BridgeCase


@tagged("post_install", "-at_install")
class TestMessenger(BridgeCase):
    """Messengers as cards."""

    def messenger(self, module_name):
        return self.env["chatbridge.messenger"].create(
            {"name": "Pigeon post", "code": "pigeon", "module_name": module_name}
        )

    def test_livechat_is_on_from_the_start(self):  # SET-2
        self.assertEqual(self.env.ref("chatbridge.messenger_livechat").status, "on")

    def test_an_installed_messenger_is_off_until_activated(self):  # SET-2
        messenger = self.messenger("chatbridge").with_user(self.user("administrator"))
        self.assertEqual(messenger.status, "off")
        messenger.action_activate()
        self.assertEqual(messenger.status, "on")
        self.assertEqual(messenger.action_settings()["domain"], [("messenger_id", "=", messenger.id)])
        messenger.action_switch_off()
        self.assertEqual(messenger.status, "off")

    def test_a_missing_module_is_installed(self):  # SET-2
        module = self.env["ir.module.module"].search([("state", "=", "uninstalled")], limit=1)
        messenger = self.messenger(module.name)
        self.assertEqual(messenger.status, "missing")
        messenger.action_activate()
        self.assertEqual(messenger.status, "missing")
        with patch.object(type(module), "button_immediate_install", return_value="installed") as install:
            self.assertEqual(messenger.action_install(), "installed")
        install.assert_called_once()

    def test_a_module_that_is_not_there(self):  # SET-2
        with self.assertRaises(UserError):
            self.messenger("chatbridge_pigeon").action_install()
