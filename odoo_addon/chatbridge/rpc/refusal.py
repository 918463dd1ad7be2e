"""What an operation is answered that can't be carried out."""


class Refusal(Exception):
    """An operation that can't be carried out, with the sentence that says why.

    ``missing`` says by a word what Odoo does not have, for the bridge to act upon.
    """

    def __init__(self, sentence, missing=None):
        super().__init__(sentence)
        self.missing = missing
