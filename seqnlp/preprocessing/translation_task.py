"""What a preparation has to know of translation."""

from seqnlp.preprocessing.groups import PART
from seqnlp.preprocessing.pairs import SIDES
from seqnlp.preprocessing.statistics import (
    describe_lengths,
    duplicates,
    quantiles,
    schema_text,
    share,
    tabulate,
)
from seqnlp.preprocessing.task import Task
from seqnlp.preprocessing.translation_examples import RATIO_STEPS
from seqnlp.records import SPLITS
from seqnlp.text.names import CONFIG_FILE, UNKNOWN_ID
from seqnlp.text.translation_names import subword_file

_NAMES = ("totals", "lengths", "ratios", *(f"{side}_lengths" for side in SIDES))


class TranslationTask(Task):
    """Pairs of sentences, see `Task`.

    Args:
        files: Dict from the name of a file, as pairs hold it, to its number.
        base_names: List of the names of the files without their folders, by number.
        given: The splits that have files of their own.
    """

    name = "translation"
    record = "pair"
    packages = {"sentencepiece": "sentencepiece", "tensorflow_text": "tensorflow-text"}  # noqa: RUF012

    def __init__(self, files, base_names, given):
        self._files = files
        self._base_names = base_names
        self._given = given

    def content(self, record):
        """What `EncodePairs` takes of a `Pair`; equal sources are equal first parts."""
        place = f"{self._files[record.file]} {record.line}"
        return PART.join((record.source, record.target, place))

    def summarize(self, counts, rejects, text):
        """Dict with `splits`, `rejects`, `vocabulary`, `files` and `warnings`, see `Task`."""
        tables = tabulate(counts, _NAMES)
        files = [
            {
                "split": split,
                "file": self._base_names[number],
                "exchanged": exchanged,
                "exchanged_share": wrong,
            }
            for split, number, wrong, exchanged in text["exchanged"]
            if split in self._given
        ]
        config, vocabulary = text["config"], {}
        if config is not None:
            vocabulary = {"joint": config["target"] is None}
            for side, size in zip(SIDES, _vocabulary_sizes(config), strict=True):
                vocabulary[side] = size
        return {
            "splits": {split: _split_summary(split, tables[split]) for split in SPLITS},
            "rejects": {"count": rejects["count"], "kinds": rejects["kinds"]},
            "vocabulary": vocabulary,
            "files": files,
            "warnings": [_warning(file) for file in files if file["exchanged"]],
        }

    def problem(self, statistics):
        """Any pairs will do, see `Task`."""
        return None

    def schema(self, text):
        """The schema of a translator's examples, see `Task`."""
        source, target = _vocabulary_sizes(text["config"])
        integers = {"source_ids": (UNKNOWN_ID, source - 1), "target_ids": (UNKNOWN_ID, target - 1)}
        return schema_text(integers, SIDES, SIDES)

    def save_text(self, folder, config):
        """Writes a `TranslationText`, see `Task`."""
        from seqnlp.text import TranslationText

        TranslationText.from_config(config).save(folder)
        sides = (
            {"joint": config["source"]}
            if config["target"] is None
            else {side: config[side] for side in SIDES}
        )
        names = [subword_file(side, settings["name"]) for side, settings in sides.items()]
        return [*names, CONFIG_FILE]


def _vocabulary_sizes(config):
    from seqnlp.text import TranslationText

    text = TranslationText.from_config(config)
    return text.source_vocabulary_size, text.target_vocabulary_size


def _split_summary(split, tables):
    totals, ratios = tables["totals"], sorted(tables["ratios"].items())
    pairs = totals.get("pairs", 0)
    sides, pieces = {}, {}
    for side in SIDES:
        table = tables[f"{side}_lengths"]
        pieces[side] = sum(length * count for length, count in table.items())
        sides[side] = {
            "pieces": pieces[side],
            "lengths": describe_lengths(table),
            "out_of_vocabulary": share(totals.get(f"{side}_unknown", 0), pieces[side]),
        }
    return {
        "pairs": pairs,
        # Of the longer side with its start or end: what a batch pads both to.
        "lengths": describe_lengths(tables["lengths"]),
        **sides,
        "length_ratio": {
            "mean": share(pieces["target"], pieces["source"]),
            "quantiles": {
                name: step / RATIO_STEPS for name, step in quantiles(ratios, pairs).items()
            },
        },
        "equal": share(totals.get("equal", 0), pairs),
        "cut": totals.get("cut", 0),
        "duplicates": duplicates(split, totals),
    }


def _warning(file):
    return (
        f"{file['split']}, {file['file']}: source and target look exchanged: "
        f"{file['exchanged_share']:.0%} of the words that tell the languages of the training "
        "files apart stand on the wrong side. Check the order of the files or columns."
    )
