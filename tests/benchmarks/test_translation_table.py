from benchmarks.translation_table import table

SCORES = {"bleu": 36.999, "lowercase_bleu": 37.4, "chrf": 61.5}
LINE = {"name": "A", "measure": "bleu", "test": SCORES, "dev": 35.0, "seconds": 90}


def test_a_translator_has_a_row_of_what_was_measured():
    also = {"also": {"scores": {**SCORES, "bleu": 28.0}}, "attention_entropy": 1.36559}
    lines = [
        {**LINE, "dev": 1.0},
        {**LINE, **also},
        {**LINE, "name": "B", "alignment_error_rate": 0.1},
        {**LINE, "name": "tagger", "measure": "f1"},
        {**LINE, "name": "one side", "arm": "x"},
        {**LINE, "name": "another command now", "outdated": "x"},
    ]
    assert table(lines).splitlines()[2:] == [
        "| A | 36.99 | 37.40 | 61.50 | 35.00 | 28.00 | 37.40 | 1.3655 | - | 1.5 min |",
        "| B | 36.99 | 37.40 | 61.50 | 35.00 | - | - | - | 0.1000 | 1.5 min |",
    ]
