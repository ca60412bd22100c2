"""What `--help` shows."""

from pipelines import tagging


def test_every_option_says_what_it_is():
    silent = [action.dest for action in tagging.arguments()._actions if not action.help]
    assert silent == []


def test_defaults_are_shown_where_they_say_something():
    shown = " ".join(tagging.arguments().format_help().split())
    assert "of splits, weights and order (default: 0)" in shown
    assert "sentences (default: 32)" in shown
    assert "default: None" not in shown
    assert "default: False" not in shown
