"""The export and check stages of `pipelines.tagging`."""

import itertools
import random

import numpy as np
import tensorflow as tf

from pipelines import exports, trained_model
from pipelines.chain_truth import Chain
from pipelines.exports import BATCH, CHECKED, EDGE_STRINGS, SERVED_TEXT, WARM_UP
from seqnlp import tag_schemes
from seqnlp.export import tagging_signatures
from seqnlp.layers import CRF, TokenSoftmax
from seqnlp.records import read_sentences
from seqnlp.text import RegexTokenizer, TaggingText, WordTokenizer

K_BEST = 5
NEAR_TIE = 1e-3  # nats between two paths, below which float32 may rank them either way
LEAST = -40.0  # log probability, below which float32 cannot hold the five decimals compared


def export(options):
    """Writes the next version below `serving/NAME`; returns its folder."""
    exports.check_blessed(options)
    model, text, encoding = trained_model.load(options.output / "model.keras")
    text = _serving_text(text, options)
    signatures = tagging_signatures(model, text, encoding, K_BEST)
    requests = _warm_up(options, signatures)
    return exports.write_version(options, model, text, signatures, requests)


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
        text.labels,
        text.bert,
    )


def _warm_up(options, signatures):
    texts = _texts(options, WARM_UP)
    tokens = {"tokens": [text.split() or [""] for text in texts[:1]], "lengths": [1]}
    requests = [(name, {"text": texts}) for name in signatures if name != "pretokenized"]
    return [*requests, ("pretokenized", tokens)]


def _texts(options, number):
    """Sentences of the test split as strings, the same ones each time."""
    sentences = list(read_sentences(str(options.output / "examples"), "test"))
    chosen = random.Random(options.seed).sample(sentences, min(number, len(sentences)))
    return [" ".join(tokens) for tokens, _ in chosen]


def check(options):
    """Serves the newest version and compares its answers with the model's; returns a report."""
    from serving.check import check_export

    newest = exports.newest_version(options)
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
        self.head = model.head_layer()
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
        rows = {"tokens": words, "tags": tags, "starts": starts, "ends": ends}
        sentences = {"truncated": truncated.numpy().tolist(), **self.labels(outputs)}
        rows |= {"lengths": lengths, **sentences}
        tagged = _dense(rows)
        yield _case("serving_default", texts, tagged)
        names = {"tag_names": [self.text.tags] * len(texts)}
        probabilities = {"marginals": marginals[:, : max(lengths)].tolist(), **names}
        if self.encoding != "none":
            spans = self.spans(texts, rows, outputs)
            yield _case("spans", texts, {**sentences, **spans})
            spans |= {"span_scores": spans.pop("scores"), "span_lengths": spans.pop("lengths")}
            probabilities |= spans
        yield _case("marginals", texts, {**tagged, **probabilities})
        if max(lengths):  # JSON cannot tell a row without tokens from one without an axis
            sentences["truncated"] = [False] * len(texts)
            answer = {"tags": tagged["tags"], "lengths": lengths, **sentences}
            inputs = {"tokens": tagged["tokens"], "lengths": lengths}
            yield {"signature": "pretokenized", "inputs": inputs, "outputs": answer}
        if isinstance(self.head, CRF):
            yield from self.k_best(texts, rows, outputs)

    def labels(self, outputs):
        """The columns of the sentences' labels, none where the model gives none."""
        if "label" not in outputs:
            return {}
        names = self.text.labels
        scores = np.exp(outputs["label_logits"].astype("float64"))
        scores /= scores.sum(axis=1, keepdims=True)
        return {
            "label": [names[label] for label in outputs["label"]],
            "label_scores": scores.tolist(),
            "label_names": [names] * len(scores),
        }

    def chain(self, outputs, row):
        return Chain(self.head, outputs["potentials"][row][outputs["mask"][row]])

    def spans(self, texts, rows, outputs):
        """The answer of the `spans` signature, but for `truncated`."""
        names = ("span_texts", "span_types", "span_starts", "span_ends", "scores")
        columns = {name: [[] for _ in texts] for name in names}
        for row, text in enumerate(texts):
            score = self.span_scores(outputs, row)
            for span_type, first, end in tag_schemes.spans(rows["tags"][row], self.encoding):
                begin, finish = rows["starts"][row][first], rows["ends"][row][end - 1]
                span = text.encode()[begin:finish].decode()
                values = (span, span_type, begin, finish, score(first, end))
                for name, value in zip(names, values, strict=True):
                    columns[name][row].append(value)
        return {**_dense(columns), "lengths": [len(row) for row in columns["span_types"]]}

    def span_scores(self, outputs, row):
        """The function from a span's first token and its end to its probability."""
        if isinstance(self.head, CRF | TokenSoftmax):
            tags, chain = outputs["tags"][row], self.chain(outputs, row)
            return lambda first, end: chain.span_probability(tags, first, end)
        alone, after = (np.asarray(x)[row] for x in self.head.tag_log_probabilities(outputs))
        return lambda first, end: float(np.exp(alone[first] + after[first + 1 : end].sum()))

    def k_best(self, texts, rows, outputs):
        """The case of `k_best`: the texts whose paths float32 can rank and score."""
        kept, paths = [], []
        for row, length in enumerate(rows["lengths"]):
            best = [(0.0, [])]
            if length:
                best = self.chain(outputs, row).k_best(K_BEST + 1)
            scores = [score for score, _ in best]
            apart = all(a - b > NEAR_TIE for a, b in itertools.pairwise(scores))
            if apart and scores[:K_BEST][-1] > LEAST:
                kept.append(row)
                paths.append(best[:K_BEST])
        if not kept:
            return
        answer = _dense({name: [column[row] for row in kept] for name, column in rows.items()})
        longest = max(rows["lengths"][row] for row in kept)
        answer["tags"], answer["scores"] = [], []
        for best in paths:
            missing = K_BEST - len(best)
            tags = [[self.text.tags[tag] for tag in path] for _, path in best] + [[]] * missing
            answer["tags"].append([path + [""] * (longest - len(path)) for path in tags])
            answer["scores"].append([score for score, _ in best] + [-1e9] * missing)
        answer["paths"] = [len(best) for best in paths]
        yield _case("k_best", [texts[row] for row in kept], answer)


def _case(signature, texts, outputs):
    return {"signature": signature, "inputs": {"text": texts}, "outputs": outputs}


def _dense(columns):
    """Rows of lists, filled up to the longest with "" or 0; rows of values as they are."""
    dense = {}
    for name, rows in columns.items():
        lists = [row for row in rows if isinstance(row, list)]
        longest = max(map(len, lists), default=0)
        filling = next((type(row[0])() for row in lists if row), 0)
        dense[name] = [row + [filling] * (longest - len(row)) for row in rows] if lists else rows
    return dense
