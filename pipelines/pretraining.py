"""Pretraining BERT from plain text to a served model.

python -m pipelines.pretraining run --output DIR [--train FILE ... --dev FILE ... --test FILE ...]
"""

from pipelines import command_line, pretraining_checks, stages, task_options
from pipelines.command_line import (
    above_zero,
    at_least_one,
    at_least_zero,
    share,
    share_below_one,
    share_between,
    whole_from_zero,
)

DESCRIPTION = "Pretrains, evaluates, exports and checks a BERT."
SIZES = ("tiny", "mini", "small", "medium", "base", "large")


def arguments():
    """The parser of this task."""
    parser = command_line.parser("pretraining", DESCRIPTION, ("text",), _add_layout)
    _add_text(parser.add_argument_group("text"))
    _add_pairs(parser.add_argument_group("pairs and what is hidden in them"))
    _add_model(parser.add_argument_group("model"))
    _add_training(parser.add_argument_group("training"))
    _add_serving(parser.add_argument_group("evaluation and serving"))
    return parser


def _add_layout(files):
    files.add_argument(
        "--language",
        default="en",
        help="code of the language whose rules find the sentences of a line; none: a line is one",
    )
    files.add_argument(
        "--max_line_bytes", type=at_least_one, default=1_000_000, help="longer lines are rejected"
    )


def _add_text(text):
    text.add_argument("--vocabulary", metavar="FILE", help="vocab.txt of BERT; else it is learned")
    text.add_argument(
        "--vocabulary_size", type=at_least_one, help="pieces; 8000, of the sample corpus 800"
    )
    text.add_argument("--lowercase", action="store_true", help="take case and accents away")
    text.add_argument(
        "--max_length",
        type=at_least_one,
        help="ids of a pair, specials among them; 128, of the sample corpus 64",
    )
    task_options.add_examples(text, num_shards=None)


def _add_pairs(pairs):
    pairs.add_argument(
        "--short_share", type=share, default=0.1, help="pairs that are to be of random length"
    )
    pairs.add_argument(
        "--dupe_factor",
        type=at_least_one,
        help="pairs are made so often and hidden once and for all; else anew in each epoch",
    )
    pairs.add_argument(
        "--most_predictions", type=at_least_one, default=20, help="hidden pieces of a pair"
    )
    pairs.add_argument(
        "--mask_share", type=share_between, default=0.15, help="of the pieces are hidden"
    )
    pairs.add_argument("--whole_words", action="store_true", help="hide all pieces of a word")


def _add_model(model):
    model.add_argument("--size", default="tiny", choices=SIZES, help="published size of BERT")
    for name in ("units", "num_layers", "num_heads", "feed_forward_units"):
        model.add_argument(f"--{name}", type=at_least_one, help="in the place of the size's")
    model.add_argument("--max_positions", type=at_least_one, default=512, help="longest input")
    model.add_argument(
        "--dropout", type=share_below_one, default=0.1, help="share dropped of layers' outputs"
    )
    model.add_argument(
        "--initial",
        metavar="PATH",
        help="model.keras, or folder of a checkpoint, to go on from, such as that of a phase of "
        "shorter pairs, prepared with its vocabulary",
    )


def _add_training(training):
    training.add_argument("--batch_size", type=at_least_one, default=32, help="pairs")
    training.add_argument("--steps", type=at_least_one, default=2000, help="batches in all")
    training.add_argument(
        "--steps_per_epoch",
        type=at_least_one,
        default=250,
        help="most batches between two evaluations, after which an interrupted run goes on",
    )
    training.add_argument(
        "--validation_batches", type=at_least_one, default=50, help="of the eval split"
    )
    training.add_argument(
        "--learning_rate", type=above_zero, default=1e-3, help="the largest, after warm-up"
    )
    training.add_argument(
        "--warmup_steps",
        type=whole_from_zero,
        help="the rate rises so long, then falls to 0 in a line; a tenth of the steps",
    )
    training.add_argument("--weight_decay", type=at_least_zero, default=0.01, help="of AdamW")
    training.add_argument(
        "--clip", type=at_least_zero, default=1.0, help="largest norm of the gradient; 0: any"
    )
    training.add_argument(
        "--accumulate", type=at_least_one, default=1, help="batches of one step of the optimizer"
    )
    training.add_argument(
        "--replicas",
        type=at_least_one,
        default=1,
        help="GPUs, or parts of the processors, of this machine that share a batch",
    )
    training.add_argument(
        "--remat",
        action="store_true",
        help="compute layers twice rather than keep their states; with --dropout 0",
    )
    training.add_argument(
        "--mixed_precision", action="store_true", help="compute in bfloat16, for GPU and TPU"
    )
    training.add_argument(
        "--peak_tflops", type=at_least_zero, help="of the device: shows the share that is used"
    )
    training.add_argument("--jit", default="auto", choices=("auto", "true", "false"), help="XLA")


def _add_serving(serving):
    task_options.add_serving(serving, "bert")
    serving.add_argument(
        "--n_best", type=at_least_one, default=5, help="pieces that fill_mask answers with"
    )


def run(argv):
    """Runs the stages that `argv` asks for."""
    tasks = stages.of_task("pretraining", prepare)
    command_line.run_stages(arguments(), tasks, argv, pretraining_checks.check)


def prepare(options, beam_options):
    """Beam: read, find sentences, split, word pieces, pairs."""
    from seqnlp.preprocessing import prepare_pretraining

    examples = options.output / "examples"
    reads, files = _corpus(options)
    with command_line.stage("prepare", reads, examples):
        manifest = prepare_pretraining(
            str(examples),
            **files,
            language=None if options.language == "none" else options.language,
            max_line_bytes=options.max_line_bytes,
            vocabulary=options.vocabulary,
            lowercase=options.lowercase,
            max_length=pretraining_checks.max_length(options),
            short_share=options.short_share,
            dupe_factor=options.dupe_factor,
            most_predictions=options.most_predictions,
            mask_share=options.mask_share,
            whole_words=options.whole_words,
            output_format=options.output_format,
            num_shards=options.num_shards,
            seed=options.seed,
            max_rejects=options.max_rejects,
            pipeline_options=beam_options,
        )
        for split in ("train", "eval", "test"):
            found = manifest.statistics["splits"][split]
            print(
                f"{split}: {found['documents']} documents, {found['sentences']} sentences, "
                f"{found['pairs']} pairs, {found['out_of_vocabulary']:.4%} unknown pieces"
            )


def _corpus(options):
    """What is read, in words, and as arguments of `prepare_pretraining`."""
    files = task_options.given_files(options)
    if files is not None:
        size = options.vocabulary_size or 8000
        return " ".join(options.train), {**files, "vocabulary_size": size}
    from seqnlp.samples import write_documents

    folder = options.output / "corpus"
    written = write_documents(folder, options.language, options.seed)
    files = task_options.sample_files(written)
    size = options.vocabulary_size or 800
    return f"sample corpus, {folder}", {**files, "vocabulary_size": size}


if __name__ == "__main__":
    command_line.main(run)
