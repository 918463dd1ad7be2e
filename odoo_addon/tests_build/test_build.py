"""The build: every series from one source, and a clear no to what is outside the subset.

Run with ``python3 -m unittest discover -s odoo_addon/tests_build``.
"""

import ast
import sys
import tempfile
import unittest
import xml.etree.ElementTree as ET
from pathlib import Path

SOURCE = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(SOURCE))

from builder import SERIES, BuildError, build_addon  # noqa: E402
from builder.expressions import domain  # noqa: E402


class BuildCase(unittest.TestCase):
    """A folder to build into."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)


class TestAddon(BuildCase):
    """The addons themselves, for all six series."""

    def built(self, series):
        """Build every addon for a series; return the folder."""
        for manifest in SOURCE.glob("*/__manifest__.py"):
            build_addon(manifest.parent, self.folder / series / manifest.parent.name, series)
        return self.folder / series

    def trees(self, series):
        """Return the XML files of a built series as ``{path: tree}``."""
        return {path: ET.parse(path) for path in self.built(series).rglob("*.xml")}

    def test_every_series_builds_to_well_formed_xml(self):
        for series in SERIES:
            with self.subTest(series=series):
                self.assertGreater(len(self.trees(series)), 10)

    def test_manifests_carry_the_series_and_name_files_that_exist(self):
        for series in SERIES:
            for path in self.built(series).glob("*/__manifest__.py"):
                manifest = ast.literal_eval(path.read_text(encoding="utf-8"))
                self.assertTrue(manifest["version"].startswith(series + "."), manifest["version"])
                for name in manifest["data"]:
                    self.assertTrue((path.parent / name).is_file(), name)

    def test_the_licence_is_with_every_addon(self):
        own = (SOURCE / "LICENSE").read_text(encoding="utf-8")
        self.assertIn("GNU LESSER GENERAL PUBLIC LICENSE", own)
        for manifest in self.built("14.0").glob("*/__manifest__.py"):
            self.assertEqual((manifest.parent / "LICENSE").read_text(encoding="utf-8"), own)

    def test_no_newer_syntax_is_left(self):
        for series in SERIES:
            number = int(series[:2])
            for path, tree in self.trees(series).items():
                with self.subTest(series=series, file=path.name):
                    for element in tree.iter():
                        self.check(element, number)

    def check(self, element, number):
        """Make sure that an element is one that the series knows."""
        self.assertNotIn("series", element.attrib)
        if number < 18:
            self.assertNotIn(element.tag, ("list", "chatter"))
            self.assertNotEqual(element.get("t-name"), "card")
            self.assertNotIn("can_open", element.attrib)
            if element.get("name") == "view_mode":
                self.assertNotIn("list", element.text)
        else:
            self.assertNotEqual(element.tag, "tree")
        if number < 17:
            for name in ("invisible", "readonly", "required"):
                self.assertIn(element.get(name, "1"), ("0", "1", "True", "False"))
            self.assertNotIn("column_invisible", element.attrib)
            self.assertNotIn("text-bg-", element.get("class", ""))
            ast.literal_eval(element.get("attrs", "{}"))
        else:
            self.assertNotIn("attrs", element.attrib)
        if number < 19:
            self.assertNotEqual(element.get("model"), "res.groups.privilege")
            self.assertNotIn(element.get("name"), ("privilege_id", "group_ids", "user_ids"))
        else:
            self.assertNotIn(element.get("name"), ("groups_id",))

    def test_cron_repeats_for_ever_in_every_series(self):
        for series in SERIES:
            crons = [
                r for tree in self.trees(series).values() for r in tree.iter("record") if r.get("model") == "ir.cron"
            ]
            for cron in crons:
                names = [field.get("name") for field in cron]
                self.assertEqual("numbercall" in names, int(series[:2]) < 18)


class TestSubset(BuildCase):
    """Small sources, right and wrong."""

    def build(self, text, series="14.0", name="views/a.xml", **files):
        """Build an addon with one data file; return that file's tree."""
        source = self.folder / "src"
        manifest = {"name": "A", "version": "19.0.1.0.0", "data": ["views/a.xml"]}
        self.write(source / "__manifest__.py", repr(manifest).replace("'", '"'))
        self.write(source / "views/a.xml", "<odoo/>")
        self.write(source / name, text)
        for path, content in files.items():
            self.write(source / path.replace("__", "/").replace("_dot_", "."), content)
        build_addon(source, self.folder / "out", series)
        return ET.parse(self.folder / "out/views/a.xml").getroot()

    def write(self, path, text):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def view(self, arch):
        return (
            '<odoo>\n<record id="v" model="ir.ui.view">\n<field name="arch" type="xml">\n%s\n</field></record></odoo>'
            % arch
        )

    def arch(self, arch, series="14.0"):
        return self.build(self.view(arch), series).find("record/field")

    def assertRefused(self, arch, line, words):
        with self.assertRaises(BuildError) as raised:
            self.arch(arch)
        self.assertIn("a.xml:%d: " % line, str(raised.exception))
        self.assertIn(words, str(raised.exception))

    def test_lists_and_expressions(self):
        arch = '<list><field name="a"/><field name="b" invisible="not a" column_invisible="1"/></list>'
        field = self.arch(arch).find("tree/field[@name='b']")
        self.assertEqual(ast.literal_eval(field.get("attrs")), {"invisible": [("a", "=", False)]})
        self.assertEqual(field.get("invisible"), "1")
        newest = self.arch(arch, "19.0").find("list/field[@name='b']")
        self.assertEqual((newest.get("invisible"), newest.get("column_invisible")), ("not a", "1"))

    def test_cards(self):
        arch = '<kanban><templates><t t-name="card"><b><field name="a"/></b></t></templates></kanban>'
        template = self.arch(arch).find("kanban/templates/t")
        self.assertEqual(template.get("t-name"), "kanban-box")
        self.assertEqual(template.find("div").get("class"), "oe_kanban_global_click")
        self.assertIsNotNone(template.find("div/b/field"))
        closed = self.arch(arch.replace("<kanban>", '<kanban can_open="0">')).find("kanban")
        self.assertNotIn("oe_kanban_global_click", ET.tostring(closed, encoding="unicode"))

    def test_chatter_and_classes(self):
        arch = '<form><widget name="web_ribbon" bg_color="text-bg-danger"/><span class="badge text-bg-info ms-2"/><chatter/></form>'
        form = self.arch(arch).find("form")
        self.assertEqual(form.find("widget").get("bg_color"), "bg-danger")
        self.assertEqual(form.find("span").get("class"), "badge badge-info ml-2")
        self.assertEqual(form.find("div").get("class"), "oe_chatter")
        self.assertEqual(self.arch(arch, "16.0").find("form/span").get("class"), "badge bg-info ms-2")

    def test_groups_before_privileges(self):
        text = (
            '<odoo><record id="p" model="res.groups.privilege"><field name="name">P</field><field name="category_id" ref="c"/></record>'
            '<record id="g" model="res.groups"><field name="privilege_id" ref="p"/><field name="user_ids" eval="[]"/></record></odoo>'
        )
        group = self.build(text).find("record")
        self.assertEqual([(f.get("name"), f.get("ref")) for f in group], [("category_id", "c"), ("users", None)])

    def test_elements_for_some_series(self):
        text = '<odoo><menuitem id="a" series="18-"/><menuitem id="b" series="-17"/><menuitem id="c" series="15-16"/></odoo>'
        for series, left in (("14.0", ["b"]), ("16.0", ["b", "c"]), ("19.0", ["a"])):
            self.assertEqual([menu.get("id") for menu in self.build(text, series)], left)

    def test_overrides(self):
        files = {"views__a_dot_14_dot_xml": '<odoo><menuitem id="old"/></odoo>'}
        self.assertEqual(self.build('<odoo><menuitem id="new"/></odoo>', "14.0", **files)[0].get("id"), "old")
        self.assertEqual(self.build('<odoo><menuitem id="new"/></odoo>', "15.0", **files)[0].get("id"), "new")
        tree = {"overrides__14.0__views__a_dot_xml": '<odoo><menuitem id="tree"/></odoo>'}
        self.assertEqual(self.build('<odoo><menuitem id="new"/></odoo>', "14.0", **tree)[0].get("id"), "tree")

    def test_an_override_of_nothing_is_refused(self):
        with self.assertRaisesRegex(BuildError, "does not exist"):
            self.build("<odoo/>", "14.0", views__b_dot_14_dot_xml="<odoo/>")

    def test_what_is_outside_the_subset(self):
        self.assertRefused("<tree/>", 4, "write <list>")
        self.assertRefused('<form>\n<field name="a" attrs="{}"/></form>', 5, "attrs")
        self.assertRefused('<form>\n\n<field name="a" states="draft"/></form>', 6, "states")
        self.assertRefused("<form><marquee/></form>", 4, "marquee")
        self.assertRefused('<form><field name="a" invisible="b"/></form>', 4, "does not hold: b")
        self.assertRefused('<form><field name="b_ids"/><field name="a" invisible="b_ids"/></form>', 4, "to-many")
        self.assertRefused('<form><field name="b"/><field name="a" invisible="len(b)"/></form>', 4, "only fields")
        self.assertRefused('<kanban><templates><t t-name="kanban-box"/></templates></kanban>', 4, "card")
        self.assertRefused('<kanban><templates><t t-name="card"><b invisible="a"/></t></templates></kanban>', 4, "t-if")

    def test_data_outside_the_subset(self):
        for text, words in (
            ('<odoo><template id="a"/></odoo>', "template"),
            ('<odoo><record id="a" model="res.users"><field name="groups_id"/></record></odoo>', "older series"),
            ('<odoo><record id="a" model="x"><field name="view_mode">tree</field></record></odoo>', "write list"),
            ('<odoo><menuitem id="a" series="new"/></odoo>', "not understood"),
            ("<odoo>", "a.xml:1"),
        ):
            with self.assertRaisesRegex(BuildError, words):
                self.build(text)

    def test_python_outside_the_subset(self):
        for text, words in (
            ("x = 1\n_sql_constraints = []\n", "m.py:2: .*compat.constraint"),
            ("from odoo.osv import expression\n", "m.py:1: "),
            ("match x:\n    case 1: pass\n", "m.py:.: "),
        ):
            with self.assertRaisesRegex(BuildError, words):
                self.build(text, name="models/m.py")


class TestExpressions(unittest.TestCase):
    """Python expressions as domains."""

    def test_translation(self):
        for expression, expected in (
            ("a", [("a", "!=", False)]),
            ("not a", [("a", "=", False)]),
            ("a == 'x'", [("a", "=", "x")]),
            ("a in ('x', 'y')", [("a", "in", ["x", "y"])]),
            ("not (a > 1 and b)", ["|", ("a", "<=", 1), ("b", "=", False)]),
            ("a and b or not c", ["|", "&", ("a", "!=", False), ("b", "!=", False), ("c", "=", False)]),
            ("parent.kind != 'x'", [("parent.kind", "!=", "x")]),
        ):
            self.assertEqual(domain(expression), expected, expression)

    def test_what_no_domain_can_say(self):
        for expression in ("1 < a < 3", "a == b", "f(a)", "a + 1", "user.name", "a ==", "lines_ids"):
            with self.assertRaises(ValueError, msg=expression):
                domain(expression)


if __name__ == "__main__":
    unittest.main()
