"""What options of `pipelines.translation` must agree on, said before any stage begins."""

import os


def check(options):
    """Raises a ValueError that names the options."""
    if options.n_best > options.beam_width:
        raise ValueError(
            f"`--n_best` must be at most --beam_width, the hypotheses that there are. Received: "
            f"--n_best {options.n_best} --beam_width {options.beam_width}"
        )
    if options.vocabulary_size and options.n_best > options.vocabulary_size:
        raise ValueError(
            "`--n_best` must be at most --vocabulary_size. Received: "
            f"--n_best {options.n_best} --vocabulary_size {options.vocabulary_size}"
        )
    if options.learning_rate == 0:
        raise ValueError("`--learning_rate` must be above 0. Received: --learning_rate 0")
    if options.alignment != "softmax" and options.attention in ("none", "final"):
        raise ValueError(
            f"`--alignment {options.alignment}` must come with a score of attention. "
            f"Received: --attention {options.attention}"
        )
    if options.model == "transformer" and options.units % options.num_heads:
        raise ValueError(
            "`--units` must be a multiple of --num_heads, which share them. Received: "
            f"--units {options.units} --num_heads {options.num_heads}"
        )
    if options.input_feeding and (options.attend != "after" or options.attention == "none"):
        raise ValueError(
            "`--input_feeding` must come with --attend after and attention. Received: --attend "
            f"{options.attend} --attention {options.attention}"
        )
    if options.input_format != "tsv" and (options.columns or options.header):
        raise ValueError(
            "`--columns` and `--header` must come with --input_format tsv. "
            f"Received: --input_format {options.input_format}"
        )
    for name, given in (
        ("--links", [options.links]),
        ("--also_test", options.also_test or []),
        ("--previous", [options.previous]),
    ):
        for path in filter(None, given):
            if not os.path.isfile(path):
                raise ValueError(f"`{name}` must name a file that is there. Received: {path}")
