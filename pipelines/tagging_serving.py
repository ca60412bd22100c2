"""The export and check stages of `pipelines.tagging`."""

import os
import random
import shutil

import numpy as np
import tensorflow as tf

from pipelines import trained_model
from pipelines.tagging_evaluation import BLESSED
from seqnlp import export, tag_schemes
from seqnlp.records import read_sentences
from seqnlp.text import RegexTokenizer, TaggingText, WordTokenizer

EDGE_STRINGS = [
    "",
    " ",
    "\t\n",
    "a",
    "...",
    "서울에서 부산으로 가는 기차 두 장 👨‍👩‍👧 예매해 줘 🙏",
    "서울",  # decomposed Hangul
    "Ｆｌｙ ｔｏ Ｏｓｌｏ",
    "ﬁnd a ﬂight",
    "🇰🇷 1️⃣ 👍🏽 🏳️‍🌈",
    "nul \x00 and bell \x07",
    "שלום to שלום",
    "word " * 300,
    "x" * 5000,
]
CHECKED, BATCH, WARM_UP = 200, 8, 20
SERVED_TEXT = "assets.extra/text"  # beside the graph, for `check` and for who reads an export


def export_tagger(options):
    """Writes the next version below `serving/NAME`; returns its folder."""
    blessed = (options.output / BLESSED).exists()
    if not blessed and not options.export_anyway:
        raise ValueError(
            f"{options.output / BLESSED}: expected the mark of a model that beat its rivals; run "
            "the evaluate stage, improve the model, or give --export_anyway"
        )
    model, text, encoding = trained_model.load(options.output / "model.keras")
    text = _serving_text(text, options)
    home = options.output / "serving" / options.name
    home.mkdir(parents=True, exist_ok=True)
    versions = [int(path.name) for path in home.iterdir() if path.name.isdecimal()]
    target, partial = home / str(max(versions, default=0) + 1), home / "partial"
    shutil.rmtree(partial, ignore_errors=True)
    signatures = export.tagging_signatures(model, text, encoding)
    try:
        export.saved_model(model, text, partial, signatures)
        _warm_up(partial, options, signatures)
        text.save(str(partial / SERVED_TEXT))
        os.replace(partial, target)  # a server that polls the folder never sees half a version
    except (OSError, tf.errors.OpError) as error:
        shutil.rmtree(partial, ignore_errors=True)
        raise OSError(f"cannot write {target}: {str(error).splitlines()[0]}") from error
    return target


def _serving_text(text, options):
    """The text of training, with the tokenizer and the longest request of serving."""
    return TaggingText(
        text.words,
        text.characters,
        text.tags,
        RegexTokenizer(r"\S+") if options.tokenizer == "whitespace" else WordTokenizer(),
        text.normalizer,
        text.max_word_length,
        options.max_request_tokens,
    )


def _warm_up(folder, options, signatures):
    from serving.warmup import write_warmup

    texts = _texts(options, WARM_UP)
    tokens = {"tokens": [text.split() or [""] for text in texts[:1]], "lengths": [1]}
    requests = [(name, {"text": texts}) for name in signatures if name != "pretokenized"]
    write_warmup(folder, options.name, [*requests, ("pretokenized", tokens)])


def _texts(options, number):
    """Sentences of the test split as strings, the same ones each time."""
    sentences = list(read_sentences(str(options.output / "examples"), "test"))
    chosen = random.Random(options.seed).sample(sentences, min(number, len(sentences)))
    return [" ".join(tokens) for tokens, _ in chosen]


def check_tagger(options):
    """Serves the newest version and compares its answers with the model's; returns a report."""
    from serving.check import check_export

    home = options.output / "serving" / options.name
    versions = [path for path in home.glob("*") if path.name.isdecimal()]
    if not versions:
        raise ValueError(f"{home}: expected an exported version; run the export stage first")
    newest = max(versions, key=lambda path: int(path.name))
    texts = _texts(options, CHECKED - len(EDGE_STRINGS)) + EDGE_STRINGS
    model, _, encoding = trained_model.load(options.output / "model.keras")
    expected = _Expected(model, TaggingText.load(str(newest / SERVED_TEXT)), encoding)
    batches = [texts[at : at + BATCH] for at in range(0, len(texts), BATCH)]
    cases = [case for batch in batches for case in expected.cases(batch)]
    return check_export(newest, options.name, cases)


class _Expected:
    """What the signatures must answer, by `model.predict` and plain Python."""

    def __init__(self, model, text, encoding):
        self.model = model
        self.text = text
        self.encoding = encoding

    def cases(self, texts):
        """A case for each signature, as `serving.check.write_cases` takes them."""
        tokens, starts, ends = self.text.tokenizer.tokenize_with_offsets(tf.constant(texts))
        tokens, truncated = self.text.truncate(tokens)
        starts, ends = (self.text.truncate(ragged)[0].to_list() for ragged in (starts, ends))
        outputs = self.model.predict_on_batch(self.text.inputs(tokens))
        marginals = np.asarray(self.model.marginals(outputs))
        lengths = tokens.row_lengths().numpy().tolist()
        rows = zip(outputs["tags"], lengths, strict=True)
        tags = [[self.text.tags[tag] for tag in row[:length]] for row, length in rows]
        words = [[token.decode() for token in row] for row in tokens.to_list()]
        common = {"lengths": lengths, "truncated": truncated.numpy().tolist()}
        tagged = {
            "tokens": _filled(words, ""),
            "tags": _filled(tags, ""),
            "starts": _filled(starts, 0),
            "ends": _filled(ends, 0),
            **common,
        }
        yield _case("serving_default", {"text": texts}, tagged)
        yield _case(
            "marginals",
            {"text": texts},
            {
                **tagged,
                "marginals": marginals[:, : max(lengths)].tolist(),
                "tag_names": [self.text.tags] * len(texts),
            },
        )
        if max(lengths):  # JSON cannot tell a row without tokens from one without an axis
            yield _case(
                "pretokenized",
                {"tokens": tagged["tokens"], "lengths": lengths},
                {"tags": tagged["tags"], **common, "truncated": [False] * len(texts)},
            )
        if self.encoding != "none":
            spans = self.spans(texts, tags, starts, ends, marginals)
            yield _case("spans", {"text": texts}, {**spans, "truncated": common["truncated"]})

    def spans(self, texts, tags, starts, ends, marginals):
        """The answer of the `spans` signature, but for `truncated`."""
        names = ("span_texts", "span_types", "span_starts", "span_ends", "scores")
        columns = {name: [[] for _ in texts] for name in names}
        tag_ids = {tag: index for index, tag in enumerate(self.text.tags)}
        for row, text in enumerate(texts):
            for span_type, first, end in tag_schemes.spans(tags[row], self.encoding):
                begin, finish = starts[row][first], ends[row][end - 1]
                scores = [marginals[row, at, tag_ids[tags[row][at]]] for at in range(first, end)]
                span = text.encode()[begin:finish].decode()
                values = (span, span_type, begin, finish, float(min(scores)))
                for name, value in zip(names, values, strict=True):
                    columns[name][row].append(value)
        lengths = [len(row) for row in columns["span_types"]]
        fillings = {"span_texts": "", "span_types": "", "scores": 0.0}
        dense = {name: _filled(rows, fillings.get(name, 0)) for name, rows in columns.items()}
        return {**dense, "lengths": lengths}


def _case(signature, inputs, outputs):
    return {"signature": signature, "inputs": inputs, "outputs": outputs}


def _filled(rows, filling):
    longest = max(map(len, rows), default=0)
    return [row + [filling] * (longest - len(row)) for row in rows]
