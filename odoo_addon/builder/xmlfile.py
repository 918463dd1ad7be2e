"""XML files with line numbers, by the standard library alone (ElementTree forgets the lines)."""

import xml.etree.ElementTree as ET
import xml.sax
import xml.sax.handler

from .errors import BuildError


class _Reader(xml.sax.handler.ContentHandler):
    """Builds a tree and notes the line of each element."""

    def __init__(self):
        super().__init__()
        self.builder = ET.TreeBuilder()
        self.lines = {}
        self.locator = None

    def setDocumentLocator(self, locator):
        self.locator = locator

    def startElement(self, name, attrs):
        element = self.builder.start(name, dict(attrs.items()))
        self.lines[element] = self.locator.getLineNumber()

    def endElement(self, name):
        self.builder.end(name)

    def characters(self, content):
        self.builder.data(content)


class XmlFile:
    """A parsed file; comments are left out."""

    def __init__(self, path):
        self.path = path
        reader = _Reader()
        try:
            xml.sax.parse(str(path), reader)
        except xml.sax.SAXParseException as error:
            raise BuildError(path, error.getLineNumber(), error.getMessage()) from error
        self.root = reader.builder.close()
        self.lines = reader.lines

    def fail(self, element, sentence):
        """Raise an error that names the element's place."""
        raise BuildError(self.path, self.lines.get(element, "?"), sentence)

    def text(self):
        """Return the file as text again."""
        return '<?xml version="1.0" encoding="utf-8" ?>\n%s\n' % ET.tostring(self.root, encoding="unicode")


def replace(parent, old, new):
    """Put another element in an element's place."""
    new.tail = old.tail
    parent[list(parent).index(old)] = new
