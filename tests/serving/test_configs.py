import re

from serving.double_process import ROOT

SERVING = ROOT / "serving"
# The proto is not in the package, so these are the names as the server's source has them.
BATCHING_FIELDS = {
    "max_batch_size",
    "batch_timeout_micros",
    "max_enqueued_batches",
    "num_batch_threads",
    "allowed_batch_sizes",
    "pad_variable_length_inputs",
}


def read(name):
    return (SERVING / name).read_text(encoding="utf-8")


def test_the_batching_config_has_only_known_fields():
    fields = re.findall(r"^(\w+)", re.sub(r"(?m)^#.*$", "", read("batching.config")), re.MULTILINE)
    assert set(fields) == BATCHING_FIELDS


def test_the_allowed_batch_sizes_grow_to_the_largest():
    text = read("batching.config")
    sizes = [int(size) for size in re.findall(r"allowed_batch_sizes: (\d+)", text)]
    (largest,) = re.findall(r"max_batch_size \{ value: (\d+) \}", text)
    assert sizes == sorted(set(sizes))
    assert sizes[-1] == int(largest)


def test_files_without_a_proto_say_that_they_are_unproven():
    assert "unproven" in read("batching.config")
    assert "unproven" in read("monitoring.config")


def test_the_compose_file_runs_the_target_with_these_files():
    text = read("compose.yaml")
    assert "image: tensorflow/serving:2.20.0" in text
    for name in ("batching", "monitoring"):
        assert f"./{name}.config:/config/{name}.config:ro" in text
        assert f"=/config/{name}.config" in text
    assert '"--model_name=${MODEL:-tagger}"' in text
    assert '"--model_base_path=/models/${MODEL:-tagger}"' in text
    assert "Not run by this project's tests" in text


def test_the_pins_of_2_20_leave_keras_out():
    text = read("requirements-220.txt")
    assert "tensorflow==2.20.0\n" in text
    assert "tensorflow-text==2.20.0\n" in text
    assert not re.search(r"(?m)^keras==", text)
