"""Tagging from a corpus file to a served model: entities, slots and intents, parts of speech.

python -m pipelines.tagging run --output DIR [--train FILE ... --dev FILE ... --test FILE ...]
"""

from pipelines import command_line, stages, tagging_encoder, task_options
from pipelines.command_line import at_least_one, at_least_zero, share_below_one

DESCRIPTION = "Trains, evaluates, exports and checks a tagger: a BiLSTM-CRF, or a BERT with a CRF."
LAYOUT = ("columns", "token", "tag", "label", "comment", "skip_token")


def arguments():
    """The parser of this task."""
    parser = command_line.parser("tagging", DESCRIPTION, ("conll", "conllu", "jsonl"), _add_layout)
    parser.add_argument(
        "--encoding",
        default="none",
        choices=("none", "bio", "iob1", "bioes", "bilou"),
        help="how tags mark spans; none for parts of speech",
    )
    parser.add_argument(
        "--train_encoding",
        choices=("bio", "iob1", "bioes", "bilou"),
        help="tags are converted to this, and the model answers in it; else as in the files",
    )
    _add_text(parser.add_argument_group("text"))
    _add_model(parser.add_argument_group("model"))
    tagging_encoder.add_arguments(parser.add_argument_group("with --encoder bert"))
    _add_training(parser.add_argument_group("training"))
    _add_serving(parser.add_argument_group("evaluation and serving"))
    return parser


def _add_layout(files):
    files.add_argument(
        "--columns",
        type=command_line.columns,
        metavar="NAME=INDEX,...",
        help="conll: columns, from 0",
    )
    files.add_argument("--token", metavar="NAME", help="column or field of the token")
    files.add_argument("--tag", metavar="NAME", help="column or field of the tag")
    files.add_argument(
        "--label",
        metavar="NAME",
        help="label of the whole sentence: a comment `# NAME = ...` of it, or a field",
    )
    files.add_argument("--comment", metavar="PREFIX", help="conll: leave out such lines")
    files.add_argument("--skip_token", metavar="TEXT", help="conll: leave out this token")


def _add_text(text):
    text.add_argument("--min_count", type=at_least_one, default=1, help="rarer words are unknown")
    text.add_argument(
        "--vocabulary_size",
        type=at_least_one,
        help="largest number of words; with --encoder bert, of pieces where they are learned",
    )
    text.add_argument(
        "--normal_form",
        default="nfc",
        choices=("nfc", "nfkc", "none"),
        help="of words, in Unicode",
    )
    text.add_argument("--keep_case", action="store_true", help="do not lower-case words")
    text.add_argument("--keep_digits", action="store_true", help="do not turn digits into 0")
    text.add_argument("--max_length", type=at_least_one, help="reject longer sentences")
    text.add_argument(
        "--max_train_examples",
        type=at_least_one,
        help="sentences of the training split; others are left out, by a hash of what they say",
    )
    task_options.add_examples(text, num_shards=4)


def _add_model(model):
    model.add_argument(
        "--encoder",
        dest="encoder_kind",
        default="bilstm",
        choices=tagging_encoder.KINDS,
        help="bilstm reads words and characters, bert word pieces, pretrained ones with --bert",
    )
    model.add_argument("--word_units", type=at_least_one, default=100, help="of a word's vector")
    model.add_argument(
        "--char_encoder",
        default="cnn",
        choices=("none", "cnn", "lstm", "kim", "kim_large"),
        help="kim: filters of many widths and highways, in its paper's small or large size",
    )
    model.add_argument(
        "--char_encoder_units", type=at_least_one, help="filters or units of cnn or lstm"
    )
    model.add_argument(
        "--cell",
        default="lstm",
        choices=("lstm", "gru", "vanilla"),
        help="of the recurrent layers",
    )
    model.add_argument("--units", type=at_least_one, default=200, help="of one direction")
    model.add_argument("--num_layers", type=at_least_one, default=1, help="recurrent ones")
    model.add_argument(
        "--head",
        default="crf",
        choices=("crf", "semi_markov_crf", "softmax"),
        help="crf scores tags and which follows which, semi_markov_crf whole spans",
    )
    model.add_argument(
        "--max_segment_length",
        type=at_least_one,
        help="tokens of the longest span of semi_markov_crf; by default that of the longest in "
        "training, at most 10",
    )
    model.add_argument(
        "--dropout",
        type=share_below_one,
        help="share dropped of what layers read; 0.5, of bert 0.1",
    )
    model.add_argument(
        "--label_weight",
        type=at_least_zero,
        default=0.3,
        help="with --label: of the loss of a sentence's label, beside that of a token's tag",
    )
    model.add_argument("--word_vectors", metavar="FILE", help="word2vec or GloVe text file")


def _add_training(training):
    training.add_argument("--batch_size", type=at_least_one, default=32, help="sentences")
    training.add_argument("--epochs", type=at_least_one, default=12, help="at most")
    training.add_argument("--steps_per_epoch", type=at_least_one, help="for shorter epochs")
    training.add_argument(
        "--learning_rate",
        type=at_least_zero,
        help="the largest; 2e-3, which falls to 0 in a cosine; of bert 3e-4, for base 3e-5",
    )
    training.add_argument(
        "--word_dropout",
        type=at_least_zero,
        default=1.0,
        metavar="A",
        help="a word seen n times is read as unknown at a rate of A / (A + n)",
    )
    training.add_argument("--patience", type=at_least_one, help="epochs to wait for a better one")
    training.add_argument("--jit", default="auto", choices=("auto", "true", "false"), help="XLA")


def _add_serving(serving):
    task_options.add_serving(serving, "tagger")
    serving.add_argument(
        "--tokenizer",
        default="words",
        choices=("words", "whitespace"),
        help="how served strings are cut: words and punctuation apart, or at white space",
    )
    serving.add_argument(
        "--max_request_tokens",
        type=at_least_one,
        default=1000,
        help="longer ones are cut and flagged",
    )


def run(argv):
    """Runs the stages that `argv` asks for."""
    parser = arguments()
    command_line.run_stages(
        parser,
        stages.of_task("tagging", prepare),
        argv,
        lambda options: tagging_encoder.settle(options, parser),
    )


def prepare(options, beam_options):
    """Beam: read, validate, split, vocabulary, examples."""
    from seqnlp.preprocessing import prepare_tagging

    examples = options.output / "examples"
    reads, arguments = _corpus(options)
    with command_line.stage("prepare", reads, examples):
        manifest = prepare_tagging(
            str(examples),
            **arguments,
            **tagging_encoder.preparation(options),
            train_encoding=options.train_encoding,
            max_length=options.max_length,
            min_count=options.min_count,
            max_train_examples=options.max_train_examples,
            normal_form=None if options.normal_form == "none" else options.normal_form,
            lowercase=not options.keep_case,
            digits=not options.keep_digits,
            output_format=options.output_format,
            num_shards=options.num_shards,
            seed=options.seed,
            max_rejects=options.max_rejects,
            pipeline_options=beam_options,
        )
        for split in ("train", "eval", "test"):
            found = manifest.statistics["splits"][split]
            cut = found.get("in_several_parts")
            parts = f", {cut} of them in several parts" if cut else ""
            if "unknown_pieces" in found:
                parts += f", {found['unknown_pieces']:.4%} unknown pieces"
            print(f"{split}: {manifest.records(split)} sentences{parts}")


def _corpus(options):
    """What is read, in words, and as arguments of `prepare_tagging`."""
    files = task_options.given_files(options)
    layout = command_line.layout(options, LAYOUT)
    if files is not None:
        described = {"input_format": options.input_format, "encoding": options.encoding}
        return " ".join(options.train), {**files, **described, "layout": layout}
    if options.encoding != "none" or layout or options.input_format != "conll":
        raise ValueError(
            "`--train` must be given with --encoding or a description of its format: the "
            "sample corpus has its own. Received: no --train"
        )
    from seqnlp.samples import to_conll

    folder = options.output / "corpus"
    files = task_options.write_travel(folder, to_conll, "conll")
    own = {"layout": {"comment": "# ", "label": "intent"}, "encoding": "bio"}
    return f"sample corpus, {folder}", {**files, **own}


if __name__ == "__main__":
    command_line.main(run)
