"""What a preparation has to know of the task it prepares for."""


class Task:
    """A child for each task. Workers are sent it, so it holds no more than it must.

    Attributes:
        name: Name of the task in the manifest.
        record: What an example is made of, in the singular: its plural is the name of the
            readers' output and of the number of examples in the statistics.
        packages: Dict from a name to the package whose version the manifest holds beside those
            that every task depends on.
    """

    name = None
    record = None
    packages = {}  # noqa: RUF012

    def content(self, record):
        """The content of a record, see `GroupByContent`."""
        raise NotImplementedError

    def summarize(self, counts, rejects, text):
        """The content of statistics.json.

        Args:
            counts: Iterable of `((split, name, value), count)`, as `EncodeGroups` gives them.
            rejects: Dict of `WriteRejects`.
            text: Dict that the text was made into.
        """
        raise NotImplementedError

    def problem(self, statistics):
        """`(problem, advice)` where examples of these statistics are no use, or None."""
        raise NotImplementedError

    def schema(self, text):
        """Text of schema.pbtxt; `text` has a config."""
        raise NotImplementedError

    def save_text(self, folder, config):
        """Writes the files of the text and gives their names.

        Raises:
            OSError: A file cannot be written.
        """
        raise NotImplementedError
