"""The best model and the state of training, on disk at any moment."""

import json
import os
import re

import keras
import numpy as np


class KeepBest(keras.callbacks.Callback):
    """Saves the model of the best epoch so far, and a history that survives interruption.

    The file is replaced in one step, so that it holds a whole model at any moment. With
    `patience`, training ends after that many epochs without a better one.

    Args:
        path: The `.keras` file.
        monitor: Name of the log to watch; greater is better.
        history: JSON file with the logs of every epoch and the `steps` that the optimizer had
            done by its end.
        patience: Epochs to wait for a better one, or None.
    """

    def __init__(self, path, monitor, history, patience=None):
        super().__init__()
        self.path = str(path)
        self.monitor = monitor
        self.history = str(history)
        self.patience = patience
        self.epochs = []

    def finished(self):
        """Number of epochs that the history on disk has."""
        return len(self._read_history()) if os.path.exists(self.history) else 0

    def resume(self, epoch):
        """Takes over the history of the `epoch` epochs that an interrupted run finished."""
        self.epochs = self._read_history()[:epoch]

    @property
    def best_epoch(self):
        """Index of the best epoch so far, or None."""
        values = [epoch[self.monitor] for epoch in self.epochs]
        worst = -np.inf  # a score that is not a number beats nothing
        return int(np.argmax(np.nan_to_num(values, nan=worst, neginf=worst))) if values else None

    def on_epoch_end(self, epoch, logs=None):
        if self.monitor not in logs:
            raise ValueError(
                f"`monitor` must be one of the logs {', '.join(sorted(logs))}. "
                f"Received: monitor={self.monitor!r}"
            )
        # A variable that replicas share is no number by itself.
        steps = int(keras.ops.convert_to_numpy(self.model.optimizer.iterations))
        values = {name: float(value) for name, value in logs.items()}
        self.epochs.append(values | {"steps": steps})
        if self.best_epoch == epoch:
            self.save()
        _replace(self.history, self._write_history)
        if self.patience is not None and epoch - self.best_epoch >= self.patience:
            self.model.stop_training = True

    def save(self):
        """Puts the model as it is in the place of the best one."""
        _replace(self.path, self.model.save, suffix=".keras")

    def _read_history(self):
        with open(self.history, encoding="utf-8") as file:
            return json.load(file)

    def _write_history(self, path):
        with open(path, "w", encoding="utf-8") as file:
            json.dump(self.epochs, file, indent=1)


class Backup(keras.callbacks.Callback):
    """Saves weights and optimizer state after each epoch, to go on from after an interruption.

    Unlike `keras.callbacks.BackupAndRestore`, a kill at any moment leaves a whole backup: a file
    carries its epoch in its name and appears under that name when it is complete. The one before
    it stays, for callbacks that are killed after this one and before their own work on the epoch.

        backup = Backup("backup")
        model.fit(..., initial_epoch=backup.restore(model), callbacks=[backup])

    Args:
        folder: Folder of the backup; made if need be.
    """

    def __init__(self, folder):
        super().__init__()
        self.folder = str(folder)

    def _paths(self):
        """Paths of the backups by number of finished epochs."""
        return _epoch_files(self.folder, "weights.h5")

    def restore(self, model, finished=None):
        """Loads the newest backup into a built and compiled model.

        Args:
            model: The model.
            finished: Take none that has more epochs behind it than these; None takes any.

        Returns:
            The number of epochs it has behind it; 0 where there is no backup.
        """
        paths = self._paths()
        if finished is not None:
            paths = {epoch: path for epoch, path in paths.items() if epoch <= finished}
        epoch = max(paths, default=0)
        if epoch:
            model.optimizer.build(model.trainable_variables)
            model.load_weights(paths[epoch])
        return epoch

    def on_epoch_end(self, epoch, logs=None):
        os.makedirs(self.folder, exist_ok=True)
        before = self._paths()
        path = os.path.join(self.folder, f"epoch-{epoch + 1}.weights.h5")
        _replace(path, self.model.save_weights, suffix=".weights.h5")
        for number, old in before.items():
            if not epoch <= number <= epoch + 1:
                os.remove(old)


class KeepLast(keras.callbacks.Callback):
    """Keeps the weights of the last epochs, to average them after training.

        last = KeepLast("last", 5)
        model.fit(..., callbacks=[last])
        model.set_weights(average_weights(last.checkpoints()))

    Args:
        folder: Folder of the weights; made if need be.
        number: Epochs that are kept, at least 1.

    Raises:
        ValueError: `number` is below 1.
    """

    def __init__(self, folder, number):
        super().__init__()
        if number < 1:
            raise ValueError(f"`number` must be at least 1. Received: number={number}")
        self.folder = str(folder)
        self.number = number

    def paths(self):
        """Paths of the files, by number of finished epochs."""
        return _epoch_files(self.folder, "npz")

    def checkpoints(self):
        """Yields the weights of each epoch, lists of arrays, the oldest first."""
        for _, path in sorted(self.paths().items()):
            with np.load(path) as arrays:
                yield [arrays[f"weight_{at}"] for at in range(len(arrays.files))]

    def on_epoch_end(self, epoch, logs=None):
        os.makedirs(self.folder, exist_ok=True)
        weights = self.model.get_weights()
        arrays = {f"weight_{at}": weight for at, weight in enumerate(weights)}
        path = os.path.join(self.folder, f"epoch-{epoch + 1}.npz")
        _replace(path, lambda partial: np.savez(partial, **arrays), suffix=".npz")
        for number, old in self.paths().items():
            if not epoch + 1 - self.number < number <= epoch + 1:
                os.remove(old)


def _epoch_files(folder, ending):
    """Paths of the files `epoch-N.ending` of a folder, by N."""
    names = os.listdir(folder) if os.path.isdir(folder) else []
    matches = (re.fullmatch(rf"epoch-(\d+)\.{re.escape(ending)}", name) for name in names)
    return {int(match[1]): os.path.join(folder, match[0]) for match in matches if match}


def _replace(path, write, suffix=""):
    """Writes a file beside `path`, then puts it in its place."""
    partial = f"{path}.partial{suffix}"
    try:
        write(partial)
        os.replace(partial, path)
    except OSError as error:
        if os.path.exists(partial):
            os.remove(partial)
        raise OSError(f"cannot write {path}: {error.strerror or error}") from error
