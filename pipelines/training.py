"""What the train stages of all pipelines share: interruption, XLA, the end of `fit`."""

import json
import shutil
import sys

import keras

from pipelines import trained_model


def choose_jit(choice, on_processors, why):
    """Whether XLA compiles the model, announced with the reason.

    Args:
        choice: "auto", "true" or "false", as the user asked.
        on_processors: Whether it does on the TensorFlow backend without an accelerator.
        why: Reason of `on_processors`.
    """
    jit, reason = choice == "true", "as asked"
    if choice == "auto" and keras.backend.backend() == "jax":
        jit, reason = True, "JAX always compiles"
    elif choice == "auto":
        import tensorflow as tf

        devices = {device.device_type for device in tf.config.list_physical_devices()}
        jit, reason = on_processors, why
        if devices & {"GPU", "TPU"}:
            jit, reason = True, "an accelerator is there"
    print(f"backend {keras.backend.backend()}, XLA {'on' if jit else 'off'}: {reason}")
    return jit


def forget_other_runs(options, manifest, remembered):
    """Keeps the backup of an interrupted run of the same options on the same examples.

    Args:
        options: Of the pipeline.
        manifest: `Manifest` of the examples.
        remembered: Names of the options that both runs must share.
    """
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
    trained_model.remove(options.output / "model.keras")
    for folder in (backup, logs):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
    noted.write_text(json.dumps(settings))


def fit(model, batches, steps, first_epoch, epochs, callbacks, best, **settings):
    """`model.fit` on an endless stream that is shuffled already.

    Args:
        model: The compiled model.
        batches: The stream, from `first_epoch` on.
        steps: Batches an epoch.
        first_epoch: Epochs that an interrupted run did before.
        epochs: Number of the last epoch.
        callbacks: List of callbacks, `best` among them.
        best: The `seqnlp.callbacks.KeepBest`.
        settings: Further arguments of `fit`.
    """
    try:
        model.fit(
            batches,
            epochs=epochs,
            initial_epoch=first_epoch,
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
            value = best.epochs[best.best_epoch][best.monitor]
            print(f"best epoch {best.best_epoch + 1}: {best.monitor} {value:.4f} -> {best.path}")
