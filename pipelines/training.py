"""What the train stages of all pipelines share: XLA, interruption, the end of `fit`."""

import json
import shutil
import sys

import keras

from pipelines import streams, trained_model
from seqnlp.callbacks import Backup, KeepBest


def choose_jit(choice, on_processors, why, never=None):
    """Whether XLA compiles the model, announced with the reason.

    Args:
        choice: "auto", "true" or "false", as the user asked.
        on_processors: Whether it does on the TensorFlow backend without an accelerator.
        why: Reason of `on_processors`.
        never: Reason that XLA must not, whatever the device, or None.
    """
    jit, reason = choice == "true", "as asked"
    if choice == "auto" and never:
        jit, reason = False, never
    elif choice == "auto" and keras.backend.backend() == "jax":
        jit, reason = True, "JAX always compiles"
    elif choice == "auto":
        import tensorflow as tf

        devices = {device.device_type for device in tf.config.list_physical_devices()}
        jit, reason = on_processors, why
        if devices & {"GPU", "TPU"}:
            jit, reason = True, "an accelerator is there"
    print(f"backend {keras.backend.backend()}, XLA {'on' if jit else 'off'}: {reason}")
    return jit


def tensorboard(options, manifest, pictures=None):
    """The callbacks that write for TensorBoard, which needs TensorFlow; none where that is not.

    Args:
        options: Of the pipeline.
        manifest: `Manifest` of the examples.
        pictures: Function of the folder that makes the callback of more than curves, or None.
    """
    logs = options.output / "logs"
    if not streams.needs_tensorflow(manifest):
        print(f"nothing for TensorBoard, which needs TensorFlow; see {logs / 'history.json'}")
        return []
    more = [pictures(logs)] if pictures else []
    return [keras.callbacks.TensorBoard(logs, write_graph=False), *more]


class Run:
    """A training that leaves its best model on disk and goes on where it was interrupted.

    Args:
        options: Of the pipeline, with a `patience` if it may end early.
        manifest: `Manifest` of the examples.
        model: The built and compiled model.
        monitor: Name of the log that tells the best epoch; greater is better.
        remembered: Names of the options that an interrupted run must share to be gone on with.
        encoding: Tag scheme of a tagger, None for another model.

    Attributes:
        best: The `seqnlp.callbacks.KeepBest` of `model.keras`.
        backup: The `seqnlp.callbacks.Backup`; both stand among the callbacks of `fit`.
        first: Epochs that an interrupted run did before.
    """

    def __init__(self, options, manifest, model, monitor, remembered, encoding=None):
        output = options.output
        history, patience = output / "logs" / "history.json", getattr(options, "patience", None)
        self.model = model
        self.best = KeepBest(output / "model.keras", monitor, history, patience)
        self.backup = Backup(output / "backup")
        _forget_other_runs(options, manifest, remembered)
        trained_model.save_text(self.best.path, manifest.folder, encoding)
        self.first = self.backup.restore(model, self.best.finished())
        if self.first:
            self.best.resume(self.first)
            print(f"going on after epoch {self.first} of an interrupted run")

    def fit(self, batches, steps, epochs, callbacks, **settings):
        """`model.fit` on an endless stream that is shuffled already.

        Args:
            batches: The stream, from epoch `first` on.
            steps: Batches an epoch.
            epochs: Number of the last epoch.
            callbacks: List of callbacks, `best` and `backup` among them.
            settings: Further arguments of `fit`.
        """
        best = self.best
        try:
            self.model.fit(
                batches,
                epochs=epochs,
                initial_epoch=self.first,
                steps_per_epoch=steps,
                callbacks=callbacks,
                shuffle=False,
                verbose=1 if sys.stdout.isatty() else 2,
                **settings,
            )
        except KeyboardInterrupt:
            print(f"\nstopped after {len(best.epochs)} epochs; the train stage goes on from there")
            raise
        finally:
            if best.best_epoch is not None:
                at, name = best.best_epoch, best.monitor
                print(f"best epoch {at + 1}: {name} {best.epochs[at][name]:.4f} -> {best.path}")

    def end(self):
        """Removes what an interrupted run is gone on with."""
        shutil.rmtree(self.backup.folder, ignore_errors=True)


def _forget_other_runs(options, manifest, remembered):
    """Keeps the backup of an interrupted run of the same options on the same examples."""
    backup, logs = options.output / "backup", options.output / "logs"
    settings = {name: getattr(options, name) for name in remembered}
    settings["examples"] = manifest.content
    noted = backup / "options.json"
    try:
        same = json.loads(noted.read_text()) == settings and (logs / "history.json").exists()
    except (OSError, ValueError):
        same = False
    if same:
        return
    if any(backup.glob("epoch-*[0-9].weights.h5")):
        print("other options or examples than the interrupted run's: starting anew")
    elif (options.output / "model.keras").exists():
        print(f"training anew: {options.output / 'model.keras'} is replaced")
    trained_model.remove(options.output / "model.keras")
    for folder in (backup, logs):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
    noted.write_text(json.dumps(settings))
