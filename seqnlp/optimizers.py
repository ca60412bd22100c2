"""What training has use for and Keras' optimizers lack."""

import keras
import numpy as np
from keras import ops


@keras.saving.register_keras_serializable(package="seqnlp")
class InverseSquareRoot(keras.optimizers.schedules.LearningRateSchedule):
    """A learning rate that rises in a line, then falls with the square root of the step.

        rate[step] = peak * min(step / warmup_steps, sqrt(warmup_steps / step))

    With `peak = units ** -0.5 * warmup_steps ** -0.5` it is that of Vaswani et al.

    Args:
        peak: The largest rate, that of step `warmup_steps`.
        warmup_steps: Steps until it is reached, at least 1.

    Raises:
        ValueError: An argument is out of range.

    Reference: https://arxiv.org/abs/1706.03762, section 5.3
    """

    def __init__(self, peak, warmup_steps):
        super().__init__()
        if peak <= 0:
            raise ValueError(f"`peak` must be above 0. Received: peak={peak}")
        if warmup_steps < 1:
            raise ValueError(
                f"`warmup_steps` must be at least 1. Received: warmup_steps={warmup_steps}"
            )
        self.peak = peak
        self.warmup_steps = warmup_steps

    def __call__(self, step):
        step = ops.cast(step, "float32") + 1  # the first step of an optimizer is 0
        rising, falling = step / self.warmup_steps, ops.sqrt(self.warmup_steps / step)
        return self.peak * ops.minimum(rising, falling)

    def get_config(self):
        return {"peak": self.peak, "warmup_steps": self.warmup_steps}


def average_weights(checkpoints):
    """The mean of the weights of several checkpoints of one model.

    Args:
        checkpoints: Iterable of lists of arrays, as `model.get_weights()` gives them; at least
            one.

    Returns:
        List of arrays for `model.set_weights`; integers, such as the state of random numbers, are
        those of the last checkpoint.

    Raises:
        ValueError: There is no checkpoint, or they are not of one model.

    Reference: https://arxiv.org/abs/1706.03762, section 6.1
    """
    checkpoints = [[np.asarray(weight) for weight in weights] for weights in checkpoints]
    if not checkpoints:
        raise ValueError("`checkpoints` must hold at least one. Received: checkpoints=[]")
    shapes = [[weight.shape for weight in weights] for weights in checkpoints]
    if any(other != shapes[0] for other in shapes):
        raise ValueError(
            "`checkpoints` must be of one model, with weights of the same shapes. "
            f"Received: checkpoints with {[len(weights) for weights in checkpoints]} weights"
        )
    return [_mean(weights) for weights in zip(*checkpoints, strict=True)]


def _mean(weights):
    if not keras.backend.is_float_dtype(weights[0].dtype):  # NumPy counts no bfloat16 among them
        return weights[-1]
    return np.mean([weight.astype("float64") for weight in weights], 0).astype(weights[0].dtype)
