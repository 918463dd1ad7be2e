"""Rewriting the architecture of views."""

import xml.etree.ElementTree as ET

from . import expressions
from .subset import COMMON, ELEMENTS, HTML, QWEB
from .xmlfile import replace

MODIFIERS = ("invisible", "readonly", "required", "column_invisible")
VIEW_ROOTS = {"form", "list", "kanban", "search"}

#: Classes of Bootstrap 5 (16.0 and later) and what Bootstrap 4 calls them.
BOOTSTRAP_4 = {
    "float-end": "float-right",
    "float-start": "float-left",
    "text-end": "text-right",
    "text-start": "text-left",
    "fw-bold": "font-weight-bold",
}
BOOTSTRAP_4_PREFIXES = {"ms-": "ml-", "me-": "mr-", "ps-": "pl-", "pe-": "pr-"}


class ViewRewriter:
    """Rewrites one architecture for a series, having checked that it keeps to the subset."""

    def __init__(self, file, series):
        self.file = file
        self.series = series

    def rewrite(self, arch):
        """Rewrite in place below the field `arch`."""
        self._check(arch, in_kanban=False)
        for root in arch:
            self._check_fields(root)
        if self.series < 18:
            self._older_kanban(arch)
            self._older_tags(arch)
        if self.series < 17:
            for element in arch.iter():
                self._older_modifiers(element)
            self._older_classes(arch)

    # The subset

    def _check(self, parent, in_kanban):
        for element in parent:
            tag = element.tag
            if tag not in ELEMENTS:
                self.file.fail(element, "<%s> is not in the subset%s" % (tag, _hint(tag)))
            allowed = COMMON | ELEMENTS[tag] | (QWEB if in_kanban or tag in HTML else set())
            for name in element.attrib:
                if name not in allowed and not name.startswith("aria-"):
                    self.file.fail(
                        element, "the attribute %s of <%s> is not in the subset%s" % (name, tag, _hint(name))
                    )
            if in_kanban and any(name in element.attrib for name in MODIFIERS):
                self.file.fail(element, "cards know no %s: use t-if" % " or ".join(MODIFIERS))
            if tag == "t" and element.get("t-name") not in (None, "card"):
                self.file.fail(element, "the only kanban template of the subset is «card»")
            self._check(element, in_kanban or tag == "templates")

    def _check_fields(self, view):
        """Make sure that each field an expression uses stands in its view: older series need that."""
        present, used = set(), []
        self._collect(view, present, used)
        for element, name, expression in used:
            try:
                needed = expressions.names(expression)
                if expressions.constant(expression) is None:
                    expressions.domain(expression)
            except ValueError as error:
                self.file.fail(element, "%s=%r: %s" % (name, expression, error))
            missing = needed - present if expressions.constant(expression) is None else set()
            if missing and view.tag != "xpath":
                self.file.fail(
                    element,
                    "%s=%r uses fields that the view does not hold: %s"
                    % (name, expression, ", ".join(sorted(missing))),
                )

    def _collect(self, view, present, used):
        for element in view:
            if element.tag == "field":
                present.add(element.get("name"))
            used += [(element, name, element.get(name)) for name in MODIFIERS if element.get(name)]
            for child in element:
                if element.tag == "field" and child.tag in VIEW_ROOTS:
                    self._check_fields(child)
            if element.tag != "field":
                self._collect(element, present, used)

    # Before 18.0

    def _older_kanban(self, arch):
        for kanban in arch.iter("kanban"):
            opens = kanban.attrib.pop("can_open", "1") not in ("0", "false", "False")
            for template in kanban.iter("t"):
                if template.get("t-name") != "card":
                    continue
                box = ET.Element("div", {"class": "oe_kanban_global_click" if opens else "o_kanban_record_body"})
                box.text, template.text = template.text, None
                box.extend(list(template))
                for child in list(template):
                    template.remove(child)
                template.append(box)
                template.set("t-name", "kanban-box")

    def _older_tags(self, arch):
        for parent in list(arch.iter()):
            for element in list(parent):
                if element.tag == "list":
                    element.tag = "tree"
                elif element.tag == "chatter":
                    replace(parent, element, self._older_chatter())
        for xpath in arch.iter("xpath"):
            xpath.set("expr", xpath.get("expr", "").replace("//list", "//tree").replace("/list", "/tree"))

    @staticmethod
    def _older_chatter():
        chatter = ET.Element("div", {"class": "oe_chatter"})
        for name in ("message_follower_ids", "activity_ids", "message_ids"):
            ET.SubElement(chatter, "field", {"name": name})
        return chatter

    # Before 17.0

    def _older_modifiers(self, element):
        attrs = {}
        for name in MODIFIERS:
            expression = element.get(name)
            if expression is None:
                continue
            value = expressions.constant(expression)
            if value is None:
                attrs[name] = expressions.domain(expression)
                del element.attrib[name]
            elif name == "column_invisible":
                del element.attrib[name]
                element.set("invisible", "1" if value else "0")
        if attrs:
            element.set("attrs", repr(attrs))

    def _older_classes(self, arch):
        for element in arch.iter():
            for name in ("class", "bg_color"):
                if element.get(name):
                    element.set(
                        name, " ".join(self._older_class(word, element.get(name)) for word in element.get(name).split())
                    )

    def _older_class(self, word, whole):
        if word.startswith("text-bg-"):
            # 16.0 has Bootstrap 5.1, which does not know this class yet; before, badges had classes of their own.
            prefix = "badge-" if self.series < 16 and "badge" in whole.split() else "bg-"
            return prefix + word[len("text-bg-") :]
        if self.series >= 16:
            return word
        for prefix, older in BOOTSTRAP_4_PREFIXES.items():
            if word.startswith(prefix):
                return older + word[len(prefix) :]
        return BOOTSTRAP_4.get(word, word)


def _hint(name):
    return {
        "tree": ": write <list>",
        "attrs": ": write the expression in the attribute itself",
        "states": ': write invisible="state …"',
    }.get(name, "")
