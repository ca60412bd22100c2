"""What the evaluate stages of all pipelines share."""

import pytest

from pipelines import evaluation


@pytest.mark.parametrize("blessed", [True, False])
def test_the_last_verdict_alone_is_left(blessed, tmp_path):
    evaluation.bless(tmp_path, not blessed)
    evaluation.bless(tmp_path, blessed)
    assert [path.name for path in tmp_path.iterdir()] == [["NOT_BLESSED", "BLESSED"][blessed]]


@pytest.mark.parametrize("ended", [True, False])
def test_a_training_that_has_not_ended_is_told(ended, tmp_path, capsys):
    if not ended:
        (tmp_path / "backup").mkdir()
        (tmp_path / "backup" / "epoch-2.weights.h5").touch()
    evaluation.bless(tmp_path, True)
    told = "training has not ended: this was its best epoch so far\n"
    assert capsys.readouterr().out == ("" if ended else told)
