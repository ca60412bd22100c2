"""What options of `pipelines.pretraining` must agree on, said before any stage begins."""

import os


def check(options):
    """Raises a ValueError that names the options."""
    if options.warmup_steps is not None and options.warmup_steps >= options.steps:
        raise ValueError(
            "`--warmup_steps` must be below --steps. "
            f"Received: --warmup_steps {options.warmup_steps} --steps {options.steps}"
        )
    if options.stage == "run" and options.max_length > options.max_positions:
        raise ValueError(
            "`--max_length` must be at most --max_positions. Received: "
            f"--max_length {options.max_length} --max_positions {options.max_positions}"
        )
    if options.remat and options.dropout:
        raise ValueError(
            "`--remat` must come with --dropout 0, as what is computed twice must be the same "
            f"twice. Received: --dropout {options.dropout}"
        )
    for name in ("initial", "previous"):
        path = getattr(options, name)
        if path and not os.path.isfile(path):
            raise ValueError(f"`--{name}` must name a file that is there. Received: {path}")
