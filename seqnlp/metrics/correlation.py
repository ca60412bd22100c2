"""Correlation of numbers with the true ones, batch by batch."""

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="seqnlp")
class Pearson(keras.metrics.Metric):
    """Pearson's correlation of predictions with the truth, over all batches together.

        r = sum (x - mean x) (y - mean y) / sqrt(sum (x - mean x)^2 sum (y - mean y)^2)

    Labels and predictions are float `(batch,)`. The result is a float32 scalar from -1 to 1, and 0
    where all labels or all predictions are equal. The sums are merged with those of a batch
    around the common means, so that large numbers that differ little keep their digits.

    Args:
        name: Of the metric, in logs.

    Reference: Chan, Golub and LeVeque 1979, Updating formulae and a pairwise algorithm for
    computing sample variances, section 3
    """

    def __init__(self, name="pearson", **kwargs):
        super().__init__(name=name, **kwargs)
        names = ("weight", "x_mean", "y_mean", "xx", "yy", "xy")
        self.sums = [self.add_weight(name=name, initializer="zeros") for name in names]

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Adds one batch; `sample_weight` is `(batch,)`."""
        x, y = (ops.reshape(ops.cast(side, "float32"), (-1,)) for side in (y_true, y_pred))
        weights = ops.ones_like(x)
        if sample_weight is not None:
            weights = ops.reshape(ops.cast(sample_weight, "float32"), (-1,))
        old, x_old, y_old, xx, yy, xy = (ops.convert_to_tensor(each) for each in self.sums)
        new = ops.sum(weights)
        x_new, y_new = (ops.sum(weights * side) / ops.maximum(new, 1e-30) for side in (x, y))
        total = ops.maximum(old + new, 1e-30)
        x_apart, y_apart, merged = x_new - x_old, y_new - y_old, old * new / total
        x, y = x - x_new, y - y_new
        found = (
            old + new,
            x_old + x_apart * new / total,
            y_old + y_apart * new / total,
            xx + ops.sum(weights * x * x) + x_apart * x_apart * merged,
            yy + ops.sum(weights * y * y) + y_apart * y_apart * merged,
            xy + ops.sum(weights * x * y) + x_apart * y_apart * merged,
        )
        for variable, value in zip(self.sums, found, strict=True):
            variable.assign(value)

    def result(self):
        _, _, _, xx, yy, xy = (ops.convert_to_tensor(each) for each in self.sums)
        scale = ops.sqrt(xx) * ops.sqrt(yy)
        return ops.where(scale > 0, xy / ops.where(scale > 0, scale, 1.0), 0.0)
