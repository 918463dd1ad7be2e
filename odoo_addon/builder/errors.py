"""The one error of the build."""


class BuildError(Exception):
    """Something outside the subset, with the place where it stands."""

    def __init__(self, path, line, sentence):
        super().__init__("%s:%s: %s" % (path, line, sentence))
