"""Translation from parallel text to a served model.

python -m pipelines.translation run --output DIR [--train SOURCE TARGET ...]
"""

from pipelines import command_line, stages, task_options, translation_checks
from pipelines.command_line import at_least_one, at_least_zero, share, share_below_one

DESCRIPTION = "Trains, evaluates, exports and checks a translator."
LAYOUT = ("columns", "header")


def arguments():
    """The parser of this task."""
    formats = ("parallel", "tsv", "jsonl")
    parser = command_line.parser("translation", DESCRIPTION, formats, _add_layout)
    _add_text(parser.add_argument_group("text"))
    _add_model(parser.add_argument_group("model"))
    _add_recurrent(parser.add_argument_group("recurrent models (--model rnn)"))
    _add_training(parser.add_argument_group("training"))
    _add_serving(parser.add_argument_group("evaluation and serving"))
    return parser


def _add_layout(files):
    files.add_argument(
        "--columns",
        type=command_line.columns,
        metavar="NAME=INDEX,...",
        help="tsv: columns from 0, such as source=0,target=1; where there are more of them, each "
        "with a name, such as source=0,target=1,licence=2",
    )
    files.add_argument(
        "--header",
        action="store_true",
        default=None,
        help="tsv: the first line names the columns",
    )
    files.add_argument(
        "--links",
        metavar="FILE",
        help="word alignment of the test split, a line a pair, such as 0-0 1-2 2p1",
    )
    files.add_argument(
        "--sample",
        default="en-de",
        choices=("en-de", "en-ko"),
        help="languages of the sample corpus, which is taken where no files are given",
    )


def _add_text(text):
    text.add_argument(
        "--subwords", default="bpe", choices=("bpe", "unigram", "wordpiece"), help="kind of them"
    )
    text.add_argument(
        "--vocabulary_size", type=at_least_one, help="pieces; 8000, of the sample corpus 1000"
    )
    text.add_argument(
        "--character_coverage",
        type=share,
        default=1.0,
        help="of bpe and unigram: share of the characters that have pieces; less for thousands of "
        "different ones",
    )
    text.add_argument(
        "--separate", action="store_true", help="subwords of each side, not of both together"
    )
    text.add_argument(
        "--max_length",
        type=at_least_one,
        default=256,
        help="pieces: longer pairs of training are rejected (see --max_rejects), longer requests "
        "are cut and flagged",
    )
    task_options.add_examples(text, num_shards=4)


def _add_model(model):
    model.add_argument(
        "--model", default="transformer", choices=("transformer", "rnn", "conv"), help="family"
    )
    model.add_argument(
        "--units", type=at_least_one, default=256, help="of states; of one direction in an rnn"
    )
    model.add_argument("--num_layers", type=at_least_one, help="of each side; 3, of an rnn 1")
    model.add_argument("--num_heads", type=at_least_one, default=4, help="transformer: heads")
    model.add_argument(
        "--feed_forward_units", type=at_least_one, help="transformer: four times the units"
    )
    model.add_argument(
        "--norm", default="pre", choices=("pre", "post"), help="transformer: place of layer norms"
    )
    model.add_argument("--kernel_size", type=at_least_one, default=3, help="conv: width in tokens")
    model.add_argument(
        "--embedding_units", type=at_least_one, default=256, help="rnn, conv: of a piece's vector"
    )
    model.add_argument(
        "--dropout", type=share_below_one, default=0.3, help="share dropped of layers' inputs"
    )


def _add_recurrent(model):
    model.add_argument("--cell", default="gru", choices=("gru", "lstm", "vanilla"), help="kind")
    model.add_argument(
        "--reset_before",
        action="store_true",
        help="gru: the reset gate acts before the product with the state, as in the papers",
    )
    model.add_argument(
        "--attention",
        default="bahdanau",
        choices=("none", "final", "bahdanau", "dot", "general", "concat", "scaled", "projected"),
        help="score: additive (bahdanau) or multiplicative; final: the encoder's last state at "
        "every step, none: as initial state alone",
    )
    model.add_argument(
        "--alignment",
        default="softmax",
        choices=("softmax", "local-m", "local-p", "monotonic"),
        help="over all of the source, within a window, or moving forward",
    )
    model.add_argument(
        "--attend",
        default="before",
        choices=("before", "after"),
        help="ask with the state before the step, or with that after it",
    )
    model.add_argument(
        "--input_feeding", action="store_true", help="after: a step reads the output before it"
    )
    model.add_argument(
        "--forward_only", action="store_true", help="the encoder reads in one direction"
    )
    model.add_argument(
        "--reverse_source", action="store_true", help="the encoder reads from the end"
    )
    model.add_argument(
        "--scheduled_sampling",
        type=share_below_one,
        default=0.0,
        help="share of steps that read the model's own token in training",
    )


def _add_training(training):
    training.add_argument(
        "--batch_tokens", type=at_least_one, default=2048, help="of a batch, on each side"
    )
    training.add_argument("--epochs", type=at_least_one, default=30, help="at most")
    training.add_argument("--steps_per_epoch", type=at_least_one, help="for shorter epochs")
    training.add_argument(
        "--learning_rate", type=at_least_zero, default=2e-3, help="the largest, after warm-up"
    )
    training.add_argument(
        "--warmup_steps",
        type=at_least_one,
        default=1000,
        help="the rate rises so long, then falls with the square root of the step",
    )
    training.add_argument(
        "--label_smoothing", type=share_below_one, default=0.1, help="share given to all pieces"
    )
    training.add_argument(
        "--ema", type=share_below_one, default=0.0, help="momentum of a moving average of weights"
    )
    training.add_argument(
        "--average", type=at_least_one, default=5, help="last epochs whose weights are averaged"
    )
    training.add_argument(
        "--mixed_precision", action="store_true", help="compute in bfloat16, for GPU and TPU"
    )
    training.add_argument("--patience", type=at_least_one, help="epochs to wait for a better one")
    training.add_argument("--jit", default="auto", choices=("auto", "true", "false"), help="XLA")


def _add_serving(serving):
    task_options.add_serving(serving, "translator")
    serving.add_argument(
        "--also_test",
        nargs=2,
        metavar="FILE",
        help="another test set that is scored beside it: source and target, a line a sentence",
    )
    serving.add_argument("--beam_width", type=at_least_one, default=5, help="hypotheses")
    serving.add_argument(
        "--length_penalty",
        type=at_least_zero,
        default=0.6,
        help="exponent: the higher, the longer the translations",
    )
    serving.add_argument(
        "--n_best", type=at_least_one, default=3, help="hypotheses that n_best answers with"
    )
    serving.add_argument(
        "--max_output_length", type=at_least_one, default=200, help="pieces of a translation"
    )
    serving.add_argument(
        "--tokenize",
        default="13a",
        choices=("13a", "intl", "char", "zh", "ja-mecab", "ko-mecab", "none"),
        help="how sacrebleu finds the tokens of BLEU",
    )


def run(argv):
    """Runs the stages that `argv` asks for."""
    tasks = stages.of_task("translation", prepare)
    command_line.run_stages(arguments(), tasks, argv, translation_checks.check)


def prepare(options, beam_options):
    """Beam: read, validate, split, subwords, examples."""
    from seqnlp.preprocessing import prepare_translation

    examples = options.output / "examples"
    reads, arguments = _corpus(options)
    with command_line.stage("prepare", reads, examples):
        manifest = prepare_translation(
            str(examples),
            **arguments,
            subwords=options.subwords,
            subword_settings=_subword_settings(options),
            joint=not options.separate,
            max_length=options.max_length,
            output_format=options.output_format,
            num_shards=options.num_shards,
            seed=options.seed,
            max_rejects=options.max_rejects,
            pipeline_options=beam_options,
        )
        for split in ("train", "eval", "test"):
            print(f"{split}: {manifest.records(split)} pairs")
        for warning in manifest.statistics["warnings"]:
            print(f"warning: {warning}")


def _subword_settings(options):
    if options.subwords == "wordpiece":
        return {}
    return {"character_coverage": options.character_coverage}


def _corpus(options):
    """What is read, in words, and as arguments of `prepare_translation`."""
    files = task_options.given_files(options)
    layout = command_line.layout(options, LAYOUT)
    if files is not None:
        if options.input_format == "parallel":
            files = {split: _two(split, given) for split, given in files.items()}
        described = {"input_format": options.input_format, "layout": layout}
        size = options.vocabulary_size or 8000
        return " ".join(options.train), {**files, **described, "vocabulary_size": size}
    if layout or options.input_format != "parallel":
        raise ValueError(
            "`--train` must be given with a description of its format: the sample corpus has its "
            "own. Received: no --train"
        )
    from seqnlp.samples import write_parallel

    folder = options.output / "corpus"
    written = write_parallel(folder, options.sample, options.seed)
    files = {
        option: tuple(map(str, written[split][:2]))
        for option, split in task_options.SPLITS.items()
    }
    size = options.vocabulary_size or 1000
    return f"sample corpus, {folder}", {**files, "vocabulary_size": size}


def _two(split, given):
    if given is not None and len(given) != 2:
        raise ValueError(
            f"`--{split}` must name two files or patterns with --input_format parallel, the "
            f"source and the target. Received: --{split} {' '.join(given)}"
        )
    return given if given is None else tuple(given)


if __name__ == "__main__":
    command_line.main(run)
