"""`python3 -m lab_odoo`."""

import sys

from .commands import main

sys.exit(main())
