import sys

import pytest

from seqnlp.metrics import class_scores, number_scores


def test_classes_are_scored_by_hand():
    scores = class_scores(["a", "a", "a", "b"], ["a", "a", "b", "c"])
    assert scores["accuracy"] == 0.5
    assert scores["classes"]["a"] == {
        "precision": 1.0,
        "recall": pytest.approx(2 / 3),
        "f1": pytest.approx(0.8),
        "support": 3,
    }
    assert scores["classes"]["b"] == {"precision": 0, "recall": 0, "f1": 0, "support": 1}
    assert scores["classes"]["c"] == {"precision": 0, "recall": 0, "f1": 0, "support": 0}
    assert scores["macro_f1"] == pytest.approx(0.8 / 3)


def test_numbers_are_scored_by_hand():
    scores = number_scores([1.0, 2.0, 3.0], [1.0, 2.0, 9.0])
    assert scores["spearman"] == pytest.approx(1.0)
    assert scores["pearson"] == pytest.approx(8 / (2 * 38) ** 0.5)
    assert scores["mse"] == pytest.approx(12.0)


def test_one_number_for_all_correlates_with_nothing():
    assert number_scores([1.0, 2.0], [3.0, 3.0]) == {"pearson": 0.0, "spearman": 0.0, "mse": 2.5}


@pytest.mark.parametrize("score", [class_scores, number_scores])
@pytest.mark.parametrize(("true", "predicted"), [([], []), ([1.0], [1.0, 2.0])])
def test_lists_that_do_not_match_are_refused(score, true, predicted):
    with pytest.raises(ValueError) as error:  # noqa: PT011 - the message is compared whole
        score(true, predicted)
    assert str(error.value) == (
        "`predicted` must hold as many items as `true`, at least one. "
        f"Received: len(true)={len(true)}, len(predicted)={len(predicted)}"
    )


@pytest.mark.parametrize(
    ("score", "missing", "message"),
    [
        (
            class_scores,
            "sklearn",
            'scores of classes need scikit-learn: pip install "seqnlp[metrics]"',
        ),
        (number_scores, "scipy", 'scores of numbers need scipy: pip install "seqnlp[metrics]"'),
    ],
)
def test_a_missing_package_is_an_error_that_names_its_extra(monkeypatch, score, missing, message):
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(ImportError) as error:
        score([1.0, 2.0], [1.0, 2.0])
    assert str(error.value) == message
