"""Labels and numbers of texts and pairs of texts, from a corpus file to a served model.

python -m pipelines.classification run --output DIR [--train FILE ... --dev FILE ...]
"""

from pipelines import command_line, encoder_options, stages, task_options
from pipelines.command_line import at_least_one

DESCRIPTION = "Fine-tunes, evaluates, exports and checks a BERT that tells a label or a number."
LAYOUT = ("columns", "header", "text", "text2", "label")


def arguments():
    """The parser of this task."""
    command_line.load_backend_quietly()

    formats = ("tsv", "csv", "jsonl")
    parser = command_line.parser("classification", DESCRIPTION, formats, _add_layout)
    parser.add_argument(
        "--task",
        default="classification",
        choices=("classification", "regression"),
        help="regression: labels are numbers, such as how similar two texts are",
    )
    _add_text(parser.add_argument_group("text"))
    encoder_options.add_arguments(parser.add_argument_group("model"))
    training = parser.add_argument_group("training")
    encoder_options.add_training(training)
    training.add_argument(
        "--max_train_examples",
        type=at_least_one,
        help="train on so many alone, the first ones by a hash of their content",
    )
    serving = parser.add_argument_group("evaluation and serving")
    task_options.add_serving(serving, "classifier")
    return parser


def _add_layout(files):
    files.add_argument(
        "--columns",
        type=command_line.columns,
        metavar="NAME=INDEX,...",
        help="tsv, csv: columns text, label and, of pairs, text2, from 0; all up to the last one "
        "that has a name are expected, and others are named as you like",
    )
    files.add_argument(
        "--header", action="store_true", default=None, help="tsv, csv: the first line names them"
    )
    files.add_argument("--text", metavar="NAME", help="jsonl: field of the text")
    files.add_argument("--text2", metavar="NAME", help="jsonl: field of the second text of a pair")
    files.add_argument("--label", metavar="NAME", help="jsonl: field of the label")
    files.add_argument(
        "--max_text_bytes", type=at_least_one, default=100_000, help="longer texts are rejected"
    )


def _add_text(text):
    text.add_argument(
        "--max_length",
        type=at_least_one,
        default=128,
        help="ids of an input, specials among them: longer ones are cut and flagged",
    )
    task_options.add_examples(text, num_shards=1)


def run(argv):
    """Runs the stages that `argv` asks for."""
    command_line.run_stages(arguments(), stages.of_task("classification", prepare), argv)


def prepare(options, beam_options):
    """Beam: read, validate, split, word pieces, examples."""
    from pipelines import encoders
    from seqnlp.preprocessing import prepare_classification

    examples = options.output / "examples"
    vocabulary = encoders.vocabulary(options)
    reads, files = _corpus(options)
    if vocabulary is not None:
        files |= {"vocabulary": vocabulary.path, "lowercase": vocabulary.lowercase}
    with command_line.stage("prepare", reads, examples):
        manifest = prepare_classification(
            str(examples),
            **files,
            task=options.task,
            max_text_bytes=options.max_text_bytes,
            max_length=options.max_length,
            output_format=options.output_format,
            num_shards=options.num_shards,
            seed=options.seed,
            max_rejects=options.max_rejects,
            pipeline_options=beam_options,
        )
        for split in ("train", "eval", "test"):
            found = manifest.statistics["splits"][split]
            print(
                f"{split}: {found['examples']} examples, {found['truncated']} of them cut, "
                f"{found['out_of_vocabulary']:.4%} unknown pieces"
            )


def _corpus(options):
    """What is read, in words, and as arguments of `prepare_classification`."""
    files = task_options.given_files(options)
    layout = command_line.layout(options, LAYOUT)
    text = {"lowercase": options.lowercase}
    if files is not None:
        text |= {"vocabulary_size": options.vocabulary_size or 8000}
        described = {"input_format": options.input_format, "layout": layout}
        return " ".join(options.train), {**files, **described, **text}
    if layout or options.input_format != "tsv" or options.task != "classification":
        raise ValueError(
            "`--train` must be given with --task regression or a description of its format: the "
            "sample corpus has its own. Received: no --train"
        )
    from seqnlp.samples import to_tsv

    folder = options.output / "corpus"
    text |= {"vocabulary_size": options.vocabulary_size or 1500}
    files = task_options.write_travel(folder, to_tsv, "tsv")
    return f"sample corpus, {folder}", {**files, **text}


if __name__ == "__main__":
    command_line.main(run)
