import pytest
import tensorflow as tf

from serving.warmup import read_warmup, write_warmup


@pytest.fixture
def folder(export, tmp_path):
    (tmp_path / "saved_model.pb").write_bytes((export / "saved_model.pb").read_bytes())
    return tmp_path


def test_requests_are_read_back_as_they_were_written(folder):
    requests = [
        ("spans", {"text": ["서울", ""]}),
        ("pretokenized", {"tokens": [["a", "b"]], "lengths": [2]}),
    ]
    path = write_warmup(folder, "tagger", requests)
    assert path == folder / "assets.extra" / "tf_serving_warmup_requests"
    first, second = (log.predict_log.request for log in read_warmup(folder))
    assert (first.model_spec.name, first.model_spec.signature_name) == ("tagger", "spans")
    assert tf.make_ndarray(first.inputs["text"]).tolist() == ["서울".encode(), b""]
    assert second.inputs["lengths"].dtype == tf.int32
    assert tf.make_ndarray(second.inputs["tokens"]).tolist() == [[b"a", b"b"]]


def test_the_same_requests_give_the_same_bytes(folder):
    requests = [("pretokenized", {"tokens": [["a"]], "lengths": [1]})]
    first = write_warmup(folder, "tagger", requests).read_bytes()
    assert write_warmup(folder, "tagger", requests).read_bytes() == first


def test_without_a_file_there_are_no_requests(folder):
    assert read_warmup(folder) == []


@pytest.mark.parametrize(
    ("requests", "message"),
    [
        ([("spans", {"text": ["a"]})] * 1001, "at most 1000 .* Received: requests of length 1001"),
        ([("no", {})], "signatures of the export. Received: requests with signature_name='no'"),
        ([("spans", {"x": ["a"]})], r"\['text'\] to signature 'spans'. Received: .*=\['x'\]"),
    ],
)
def test_bad_requests_are_refused_and_nothing_is_written(folder, requests, message):
    with pytest.raises(ValueError, match=f"`requests` must .*{message}"):
        write_warmup(folder, "tagger", requests)
    assert not (folder / "assets.extra").exists()


def test_a_damaged_file_is_named(folder):
    path = write_warmup(folder, "tagger", [("spans", {"text": ["a"]})])
    path.write_bytes(path.read_bytes()[:-3])
    with pytest.raises(ValueError, match=f"{path} must be a TFRecord of PredictionLog protos"):
        read_warmup(folder)
