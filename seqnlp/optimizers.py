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


@keras.saving.register_keras_serializable(package="seqnlp")
class LinearDecay(keras.optimizers.schedules.LearningRateSchedule):
    """A learning rate that rises in a line, then falls in a line to 0.

        rate[step] = peak * min(step / warmup_steps, (steps - step) / (steps - warmup_steps))

    Args:
        peak: The largest rate, that of step `warmup_steps`.
        warmup_steps: Steps until it is reached, from 0 on.
        steps: Steps until it is 0 again, more than `warmup_steps`.

    Raises:
        ValueError: An argument is out of range.

    Reference: https://arxiv.org/abs/1810.04805, appendix A.2
    """

    def __init__(self, peak, warmup_steps, steps):
        super().__init__()
        if peak <= 0:
            raise ValueError(f"`peak` must be above 0. Received: peak={peak}")
        if warmup_steps < 0:
            raise ValueError(
                f"`warmup_steps` must be at least 0. Received: warmup_steps={warmup_steps}"
            )
        if steps <= warmup_steps:
            raise ValueError(
                f"`steps` must be more than the {warmup_steps} of `warmup_steps`. "
                f"Received: steps={steps}"
            )
        self.peak = peak
        self.warmup_steps = warmup_steps
        self.steps = steps

    def __call__(self, step):
        step = ops.cast(step, "float32")
        rising = (step + 1) / max(1, self.warmup_steps)  # the first step of an optimizer is 0
        falling = (self.steps - step) / (self.steps - self.warmup_steps)
        return self.peak * ops.maximum(0.0, ops.minimum(ops.minimum(rising, falling), 1.0))

    def get_config(self):
        return {"peak": self.peak, "warmup_steps": self.warmup_steps, "steps": self.steps}


@keras.saving.register_keras_serializable(package="seqnlp")
class LayerwiseAdamW(keras.optimizers.AdamW):
    """AdamW with a learning rate of its own for each weight: lower layers change less.

        optimizer = LayerwiseAdamW(2e-5, scales=layer_scales(model, 0.9))

    A weight decays with its own rate: one with the factor 0 stays as it is.

    Args:
        learning_rate: A number or a schedule.
        scales: List of a factor of the rate for each of the model's `trainable_variables`.
        kwargs: Further arguments of `keras.optimizers.AdamW`.

    Raises:
        ValueError: There are more or fewer weights than factors.

    Reference: https://arxiv.org/abs/1801.06146, section 3.2 (discriminative fine-tuning)
    """

    def __init__(self, learning_rate=0.001, scales=(), **kwargs):
        super().__init__(learning_rate, **kwargs)
        self.scales = [float(scale) for scale in scales]

    def build(self, variables):
        if len(self.scales) != len(variables):
            raise ValueError(
                f"`scales` must hold a factor for each of {len(variables)} weights. "
                f"Received: scales of length {len(self.scales)}"
            )
        super().build(variables)

    def update_step(self, gradient, variable, learning_rate):
        """One step of one weight, see `keras.optimizers.Optimizer`."""
        rate = self.scales[self._get_variable_index(variable)] * learning_rate
        if self._use_weight_decay(variable):
            self.assign_sub(variable, variable * self.weight_decay * rate)
        super().update_step(gradient, variable, rate)

    def _apply_weight_decay(self, variables):
        """Left to `update_step`: here there is one rate for all."""

    def get_config(self):
        return {**super().get_config(), "scales": self.scales}


def layer_scales(model, decay):
    """Factors of the learning rate that fall by `decay` with each layer further down.

    Args:
        model: A built model whose `encoder` has `layers_from_below()`, such as a classifier on a
            `seqnlp.models.BERTEncoder`. Weights outside the encoder have the factor 1.
        decay: Factor from a layer to the one below it, above 0 and at most 1.

    Returns:
        List of floats, one for each of the model's `trainable_variables`.

    Raises:
        ValueError: `decay` is out of range.
    """
    if not 0 < decay <= 1:
        raise ValueError(f"`decay` must be above 0 and at most 1. Received: decay={decay}")
    groups = model.encoder.layers_from_below()
    scales = {
        id(weight): decay ** (len(groups) - depth)
        for depth, layers in enumerate(groups)
        for layer in layers
        for weight in layer.trainable_variables
    }
    return [scales.get(id(weight), 1.0) for weight in model.trainable_variables]


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
