"""The script of BERT's authors: `--clone FOLDER` is that of github.com/google-research/bert.

It was written for TensorFlow 1, whose names stand in `tensorflow.compat.v1` still.
"""

import argparse
import contextlib
import json
import pathlib
import runpy
import sys
import tempfile
import time

import tensorflow as tf

from benchmarks import pretraining_data_workload as workload
from benchmarks.pretraining_data import cases
from benchmarks.timing import main

SCRIPT = "create_pretraining_data.py"


def prepare(folder, number, clone):
    """Prepares the first files and prints the seconds and how many pairs there are."""
    sys.modules["tensorflow"] = tf.compat.v1
    sys.path.insert(0, str(clone))
    with tempfile.TemporaryDirectory() as output:
        written = f"{output}/examples.tfrecord"
        sys.argv = [
            SCRIPT,
            "--input_file=" + ",".join(map(str, workload.files(folder, number))),
            f"--output_file={written}",
            f"--vocab_file={folder / 'vocab.txt'}",
            "--do_lower_case=True",
            "--dupe_factor=1",
            f"--max_seq_length={workload.LENGTH}",
            f"--max_predictions_per_seq={workload.PREDICTIONS}",
            f"--masked_lm_prob={workload.SHARE}",
            f"--short_seq_prob={workload.SHORT}",
        ]
        started = time.perf_counter()
        with contextlib.suppress(SystemExit):  # with which it ends
            runpy.run_path(str(clone / SCRIPT), run_name="__main__")
        seconds = time.perf_counter() - started
        pairs = sum(1 for _ in tf.compat.v1.python_io.tf_record_iterator(written))
    print(json.dumps({"seconds": seconds, "pairs": pairs}))


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--corpus", type=pathlib.Path, required=True)
    parser.add_argument("--clone", type=pathlib.Path, required=True)
    parser.add_argument("--files", type=int)
    options, _ = parser.parse_known_args()
    if options.files:
        prepare(options.corpus, options.files, options.clone)
    else:
        module = "benchmarks.peers.pretraining_data_google"
        own = cases(module, options.corpus, (), "--clone", options.clone)
        main(own, ("tensorflow",))
