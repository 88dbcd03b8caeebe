"""The one exception tree of the collector: what a person can mend, said in one line."""


class HanseiError(Exception):
    """Something a person can mend; the message says what was wrong and what to do."""


class ConfigurationError(HanseiError):
    """A flag, environment variable or configuration key has a value that cannot be used."""


class StoreError(HanseiError):
    """The store cannot be opened or does not fit this program."""
