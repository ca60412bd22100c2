"""How fast training is."""

import time

import keras


class Throughput(keras.callbacks.Callback):
    """Adds to an epoch's logs how much was trained on a second, evaluation left out.

    The logs gain `sequences_per_second` and `tokens_per_second`, `tflops` (model FLOPs a second,
    1e12) and, where the peak is known, `flops_used`, their share of it. The first batch of a
    run, which compiles, is left out. Place it before callbacks that read the logs.

    Args:
        batch_size: Rows of a batch.
        tokens: Mean number of real tokens of a row.
        flops: Floating-point operations that training takes for a row.
        peak: Those that the device can do a second, or None.
    """

    def __init__(self, batch_size, tokens, flops, peak=None):
        super().__init__()
        self.batch_size = batch_size
        self.tokens = tokens
        self.flops = flops
        self.peak = peak

    def on_train_begin(self, logs=None):
        self._has_compiled = False

    def on_epoch_begin(self, epoch, logs=None):
        self._batches, self._started, self._ended = 0, time.perf_counter(), None

    def on_train_batch_end(self, batch, logs=None):
        self._ended = time.perf_counter()
        if self._has_compiled:
            self._batches += 1
        else:
            self._has_compiled, self._started = True, self._ended

    def on_epoch_end(self, epoch, logs=None):
        if logs is None or not self._batches:
            return
        rows = self._batches * self.batch_size / (self._ended - self._started)
        logs["sequences_per_second"] = rows
        logs["tokens_per_second"] = rows * self.tokens
        logs["tflops"] = rows * self.flops / 1e12
        if self.peak:
            logs["flops_used"] = rows * self.flops / self.peak
