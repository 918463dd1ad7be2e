"""The Odoo series of the lab: what differs between them when they are installed and started."""

from dataclasses import dataclass

from .host import LabError

#: Modules of Odoo that each base template holds: what the addon works with.
MODULES = "im_livechat,contacts,crm,sale_management,project,survey,base_automation"
#: Languages that each base template holds.
LANGUAGES = "en_US,uk_UA"


@dataclass(frozen=True)
class Series:
    """One Odoo series and the Debian it is packaged in."""

    number: str
    #: The Debian release that the chroot holds.
    suite: str
    #: A later release that only Odoo itself is taken from.
    newer: str = ""
    #: Packages installed beside Odoo.
    extra: tuple = ()
    #: What a configuration file says to leave demo data out.
    no_demo: str = "without_demo = all"
    #: Python for Odoo's shell that builds the web bundles: done once in the base template, it
    #: spares every clone's first page, and each run of browser tests on 19, half a minute.
    warm: str = ""

    @property
    def package(self) -> str:
        """The name of the Debian package."""
        return f"odoo-{self.number}"


SERIES = {
    "14": Series(
        "14",
        suite="bullseye",
        warm="for name in ('web.assets_common', 'web.assets_backend', 'web.assets_frontend'):\n"
        "    env['ir.qweb']._get_asset_nodes(name, {})\n"
        "env.cr.commit()\n",
    ),
    # Odoo 19 is in sid, but sid's Python 3.14 breaks it: take trixie's Python 3.13 and only Odoo
    # from sid. Without tzdata, pytz fails at import.
    "19": Series(
        "19",
        suite="trixie",
        newer="sid",
        extra=("tzdata", "tzdata-legacy"),
        no_demo="with_demo = False",
        warm="env['ir.qweb']._pregenerate_assets_bundles()\nenv.cr.commit()\n",
    ),
}


def series(number) -> Series:
    """Return the series of a number such as 14, "14" or "14.0"."""
    try:
        return SERIES[str(number).split(".")[0]]
    except KeyError:
        raise LabError(f"no series {number} in the lab; there are {', '.join(SERIES)}") from None
