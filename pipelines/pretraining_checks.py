"""What options of `pipelines.pretraining` must agree on, said before any stage begins."""

import os


def check(options):
    """Raises a ValueError that names the options."""
    if options.warmup_steps is not None and options.warmup_steps >= options.steps:
        raise ValueError(
            "`--warmup_steps` must be below --steps. "
            f"Received: --warmup_steps {options.warmup_steps} --steps {options.steps}"
        )
    length = max_length(options)
    if options.stage == "run" and length > options.max_positions:
        raise ValueError(
            "`--max_length` must be at most --max_positions. Received: "
            f"--max_length {length} --max_positions {options.max_positions}"
        )
    if options.batch_size % options.replicas:
        raise ValueError(
            "`--batch_size` must be a multiple of --replicas, which share a batch. Received: "
            f"--batch_size {options.batch_size} --replicas {options.replicas}"
        )
    on_jax = os.environ.get("KERAS_BACKEND") == "jax"
    if options.replicas > 1 and options.jit == "true" and not on_jax:
        raise ValueError(
            "`--jit` must not be true with --replicas on TensorFlow, whose strategies do not go "
            "with XLA. Received: --jit true"
        )
    if options.remat and options.dropout:
        raise ValueError(
            "`--remat` must come with --dropout 0, as what is computed twice must be the same "
            f"twice. Received: --dropout {options.dropout}"
        )
    for name, exists in (("initial", os.path.exists), ("previous", os.path.isfile)):
        path = getattr(options, name)
        if path and not exists(path):
            raise ValueError(f"`--{name}` must name a file that is there. Received: {path}")


def max_length(options):
    """Ids of a pair; documents of the sample corpus are short."""
    return options.max_length or (64 if options.train is None else 128)
