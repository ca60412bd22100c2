"""What the evaluate stages of all pipelines share: the verdict on a model."""

BLESSED, NOT_BLESSED = "BLESSED", "NOT_BLESSED"


def bless(output, blessed):
    """Leaves the verdict as an empty file in the folder."""
    forget(output)
    (output / (BLESSED if blessed else NOT_BLESSED)).touch()
    if any((output / "backup").glob("epoch-*")):
        print("training has not ended: this was its best epoch so far")


def verdict(blessed, measure):
    """The verdict in words."""
    words = f"{BLESSED}: " if blessed else f"{NOT_BLESSED}: not "
    return f"{words}above every rival in {measure}"


def forget(output, files=()):
    """Removes the verdict, and the files that an evaluation wrote, of a model that is no more."""
    for name in (BLESSED, NOT_BLESSED, *files):
        (output / name).unlink(missing_ok=True)
