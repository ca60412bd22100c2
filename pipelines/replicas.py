"""Training on several devices of a machine, which share each batch."""

import contextlib

import keras


@contextlib.contextmanager
def replicated(replicas):
    """The scope in which to make and train a model whose copies share each batch.

    On TensorFlow a `tf.distribute.MirroredStrategy` over the first GPUs, or over as many logical
    devices made of the processors; on JAX a `keras.distribution.DataParallel` over the first
    devices.

    Args:
        replicas: Number of copies; with 1 nothing is shared.

    Raises:
        ValueError: There are fewer devices.
    """
    if replicas == 1:
        yield
    elif keras.backend.backend() == "jax":
        devices = keras.distribution.list_devices()
        _check_devices(replicas, devices)
        shared = keras.distribution.DataParallel(devices=devices[:replicas])
        keras.distribution.set_distribution(shared)
        try:
            yield
        finally:
            keras.distribution.set_distribution(None)
    else:
        import tensorflow as tf

        with tf.distribute.MirroredStrategy(_devices(replicas)).scope():
            yield


def _devices(replicas):
    """Names of TensorFlow's devices."""
    import tensorflow as tf

    if tf.config.list_physical_devices("GPU"):
        devices = tf.config.list_logical_devices("GPU")
    else:
        processors = tf.config.list_physical_devices("CPU")[0]
        parts = [tf.config.LogicalDeviceConfiguration()] * replicas
        with contextlib.suppress(RuntimeError):  # what was in use stays as it is
            tf.config.set_logical_device_configuration(processors, parts)
        devices = tf.config.list_logical_devices("CPU")
    _check_devices(replicas, devices)
    return [device.name for device in devices[:replicas]]


def _check_devices(replicas, devices):
    if len(devices) < replicas:
        raise ValueError(
            f"`--replicas` must be at most {len(devices)}, the number of devices. "
            f"Received: --replicas={replicas}"
        )
