"""Answering questions about a text, from files of them to a served model.

python -m pipelines.question_answering run --output DIR [--train FILE ... --dev FILE ...]
"""

from pipelines import command_line, encoder_options, stages, task_options
from pipelines.command_line import at_least_one

DESCRIPTION = "Trains, evaluates, exports and checks a BERT that finds answers in a text."


def arguments():
    """The parser of this task."""
    parser = command_line.parser("question_answering", DESCRIPTION, ("squad",), _add_layout)
    _add_text(parser.add_argument_group("text"))
    encoder_options.add_arguments(parser.add_argument_group("model"))
    encoder_options.add_training(parser.add_argument_group("training"))
    _add_serving(parser.add_argument_group("evaluation and serving"))
    return parser


def _add_layout(_):
    """The format has no options."""


def _add_text(text):
    text.add_argument(
        "--max_length", type=at_least_one, help="ids of a window; 384, of the sample corpus 128"
    )
    text.add_argument(
        "--stride",
        type=at_least_one,
        default=128,
        help="pieces from one window of a long context to the next",
    )
    text.add_argument(
        "--max_question_length",
        type=at_least_one,
        default=64,
        help="pieces of a question; the rest is cut off",
    )
    task_options.add_examples(text, num_shards=4)


def _add_serving(serving):
    serving.add_argument(
        "--scores",
        default="squad",
        choices=("squad", "korquad"),
        help="how answers are compared: by words without articles, or by characters",
    )
    serving.add_argument(
        "--max_answer_length", type=at_least_one, default=30, help="pieces of an answer"
    )
    task_options.add_serving(serving, "answerer")
    serving.add_argument(
        "--n_best", type=at_least_one, default=5, help="answers of the signature n_best"
    )


def run(argv):
    """Runs the stages that `argv` asks for."""
    command_line.run_stages(arguments(), stages.of_task("question_answering", prepare), argv)


def prepare(options, beam_options):
    """Beam: read, check, split, word pieces, windows."""
    from pipelines import encoders
    from seqnlp.preprocessing import prepare_question_answering

    examples = options.output / "examples"
    given = encoders.vocabulary(options)
    reads, arguments = _corpus(options)
    if given is not None:
        arguments |= {"vocabulary": given.path, "lowercase": given.lowercase}
    with command_line.stage("prepare", reads, examples):
        manifest = prepare_question_answering(
            str(examples),
            **arguments,
            input_format=options.input_format,
            stride=options.stride,
            max_question_length=options.max_question_length,
            output_format=options.output_format,
            num_shards=options.num_shards,
            seed=options.seed,
            max_rejects=options.max_rejects,
            pipeline_options=beam_options,
        )
        for split in ("train", "eval", "test"):
            _print(split, manifest.statistics["splits"][split])


def _print(split, found):
    """Says what a split holds, and what of it is not as one would wish."""
    wrong = {
        "without answer": found["without_answer"],
        "cut": found["questions_cut"],
        "with answers that begin or end within a piece": found["answers_within_pieces"],
        "with answers without pieces": found["answers_without_pieces"],
        "with answers in no window": found["answers_in_no_window"],
    }
    listed = "".join(f", {number} {what}" for what, number in wrong.items() if number)
    print(
        f"{split}: {found['questions']} questions in {found['windows']} windows, "
        f"{found['out_of_vocabulary']:.4%} unknown pieces{listed}"
    )


def _corpus(options):
    """What is read, in words, and as arguments of `prepare_question_answering`."""
    files = task_options.given_files(options)
    if files is not None:
        return " ".join(options.train), {**files, **_sizes(options, 8000, 384)}
    from seqnlp.samples import write_questions

    folder = options.output / "corpus"
    written = write_questions(folder, options.seed)
    files = task_options.sample_files(written)
    return f"sample corpus, {folder}", {**files, **_sizes(options, 1200, 128)}


def _sizes(options, vocabulary_size, max_length):
    return {
        "vocabulary_size": options.vocabulary_size or vocabulary_size,
        "lowercase": options.lowercase,
        "max_length": options.max_length or max_length,
    }


if __name__ == "__main__":
    command_line.main(run)
