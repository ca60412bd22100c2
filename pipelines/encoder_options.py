"""The options of what stands on a BERT: which one, and how it is trained. Loads no Keras."""

from pipelines.command_line import (
    above_zero,
    at_least_one,
    at_least_zero,
    share,
    share_below_one,
)

SIZES = ("tiny", "mini", "small", "medium", "base", "large")


def add_encoder(group, flag="--encoder"):
    """Adds the options that choose a BERT to a group of a parser.

    Args:
        group: The group.
        flag: Name of the option of its path, which is `encoder` among the parsed ones all the
            same; messages name it.
    """
    group.set_defaults(encoder_flag=flag)
    group.add_argument(
        flag,
        dest="encoder",
        metavar="PATH",
        help="model.keras of pipelines.pretraining, or folder of a checkpoint of Hugging Face or "
        "of Google's BERT; without it, a BERT of random weights with a vocabulary of its own",
    )
    group.add_argument(
        "--random_weights",
        action="store_true",
        help=f"only size and vocabulary of {flag}, to see what pretraining is worth",
    )
    group.add_argument(
        "--size", default="tiny", choices=SIZES, help=f"published size of a BERT without {flag}"
    )
    group.add_argument("--lowercase", action="store_true", help=f"without {flag}: take case away")
    group.add_argument(
        "--mixed_precision", action="store_true", help="compute in bfloat16, for GPU and TPU"
    )


def add_arguments(group):
    """Adds the options that choose and vary a BERT to a group of a parser."""
    add_encoder(group)
    group.add_argument(
        "--vocabulary_size", type=at_least_one, help="pieces that are learned without --encoder"
    )
    group.add_argument(
        "--dropout", type=share_below_one, default=0.1, help="share dropped of layers' outputs"
    )


def add_optimizer(group):
    """Adds the options of the optimizer, but for its learning rate, to a group of a parser."""
    group.add_argument(
        "--warmup_share",
        type=share_below_one,
        default=0.1,
        help="of the steps: the rate rises so long, then falls to 0 in a line",
    )
    group.add_argument("--weight_decay", type=at_least_zero, default=0.01, help="of AdamW")
    group.add_argument(
        "--layer_decay", type=share, default=1.0, help="factor of a layer's rate to the one above"
    )
    group.add_argument(
        "--clip", type=at_least_zero, default=1.0, help="largest norm of the gradient; 0: any"
    )


def add_training(group):
    """Adds the options of training to a group of a parser."""
    group.add_argument("--batch_size", type=at_least_one, default=32, help="examples")
    group.add_argument("--epochs", type=at_least_one, default=4, help="at most")
    group.add_argument("--steps_per_epoch", type=at_least_one, help="for shorter epochs")
    group.add_argument(
        "--learning_rate", type=above_zero, default=3e-4, help="the largest; 3e-5 for base"
    )
    add_optimizer(group)
    group.add_argument("--patience", type=at_least_one, help="epochs to wait for a better one")
    group.add_argument("--jit", default="auto", choices=("auto", "true", "false"), help="XLA")
