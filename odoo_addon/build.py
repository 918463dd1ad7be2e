#!/usr/bin/env python3
"""Write the addons for one Odoo series: ``build.py SERIES OUT [ADDON …]``, e.g. ``build.py 14.0 /tmp/addons``.

The source is written in a listed subset of the newest syntax (19.0). What an older series says differently is
rewritten; anything outside the subset is an error that names file and line. The rules live in ``builder/``.
"""

import argparse
import sys
from pathlib import Path

from builder import SERIES, BuildError, build_addon


def main(words=None):
    """Build, and return the exit code."""
    source = Path(__file__).resolve().parent
    parser = argparse.ArgumentParser(description="Write the addons for one Odoo series.")
    parser.add_argument("series", choices=SERIES)
    parser.add_argument("out", type=Path, help="the folder to write to; an addon that is there already is replaced")
    parser.add_argument("addons", nargs="*", help="which addons (all of them, where none is named)")
    options = parser.parse_args(words)
    names = options.addons or sorted(path.parent.name for path in source.glob("*/__manifest__.py"))
    try:
        for name in names:
            build_addon(source / name, options.out / name, options.series)
    except BuildError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
