"""A side for the tests: `python -m tests.benchmarks.small_side [--value X] [--hang] [--fail]`."""

import argparse
import time

import numpy as np

from benchmarks.timing import Case, Work, main

parser = argparse.ArgumentParser()
parser.add_argument("--value", type=float, default=1.0)
parser.add_argument("--hang", action="store_true")
parser.add_argument("--fail", action="store_true")
options, _ = parser.parse_known_args()


def work():
    print("what a library prints")
    if options.fail:
        raise RuntimeError("no memory left")

    def call():
        time.sleep(600 if options.hang else 0.01)
        return options.value

    return Work(call, lambda value: {"value": np.array([value])}, items=2)


if __name__ == "__main__":
    main([Case("small", "sleep", work), Case("other", "sleep", work)], ["numpy"])
