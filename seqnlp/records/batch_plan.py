"""What a stream of batches is made of, whatever the format of its files."""

from typing import NamedTuple


class BatchPlan(NamedTuple):
    """The arguments of `tagging_batches`, checked, with what they come to for one split.

    Fields:
        files: Paths of the split's files.
        examples: Number of examples in them.
        batch_size: Examples a batch.
        pool_size: Examples sorted together.
        seed: Seed of the order, or None to keep the order of the files.
        first_epoch: Number of the first epoch.
        num_epochs: Number of epochs, or None for ever.
        lengths: Sorted lengths to pad to, which fix the shapes, or None for the longest of a
            batch.
        max_word_length: Characters to pad words to where shapes are fixed, else None.
        characters: Whether the inputs hold `char_ids`.
        label: Whether sentences have a label.
    """

    files: list
    examples: int
    batch_size: int
    pool_size: int
    seed: int | None
    first_epoch: int
    num_epochs: int | None
    lengths: list | None
    max_word_length: int | None
    characters: bool
    label: bool

    @property
    def steps(self):
        """Batches an epoch."""
        return -(-self.examples // self.batch_size)
