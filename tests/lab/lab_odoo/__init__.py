"""The lab: real Odoo 14 and Odoo 19 for development, tests and demo. See the README beside it."""

from .addon_tests import Verdict, run_addon_tests
from .host import LabError
from .rpc import Client, OdooError
from .server import OdooServer
from .template import Installation
from .postgres import Postgres

__all__ = ["Client", "Installation", "LabError", "OdooError", "OdooServer", "Postgres", "Verdict", "run_addon_tests"]
