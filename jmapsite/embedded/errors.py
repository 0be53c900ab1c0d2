"""The error of everything that has to do with the embedded servers."""


class EmbeddedServerError(Exception):
    """An embedded server cannot be had.

    The text is a sentence for the person at the terminal: what is, and what to do.
    """
