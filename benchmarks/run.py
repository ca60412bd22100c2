"""Runs ours and the peers one after the other and prints the ratios: `make bench`."""

import json
import os
import pathlib
import subprocess
import sys

TWO_THREADS = {"OMP_NUM_THREADS": "2", "TF_NUM_INTRAOP_THREADS": "2"}
PEERS = pathlib.Path(".venv-peers/bin/python")


def main():
    """Prints a table; a peer whose environment is not there is named as not run."""
    rows = []
    for backend in ("tensorflow", "jax"):
        rows += lines(sys.executable, "benchmarks.crf", KERAS_BACKEND=backend)
    if PEERS.exists():
        rows += lines(PEERS, "benchmarks.peers.crf_pytorch")
    else:
        print("pytorch-crf: not run, `make peers` installs it")
    peers = {(row["workload"], row["metric"]): row for row in rows if row["who"] == "pytorch-crf"}
    for row in rows:
        peer = peers.get((row["workload"], row["metric"]))
        ratio = f"{peer['ms'] / row['ms']:6.1f}x pytorch-crf" if peer and peer is not row else ""
        spread = f"({row['min']:.3f} to {row['max']:.3f})"
        print(
            f"{row['workload']:16} {row['metric']:14} {row['who']:20} {row['ms']:9.3f} ms "
            f"{spread:22} {ratio}"
        )
        if row["disturbed"] > 0.05:
            print(f"  other processes took up to {row['disturbed']:.0%} of the processors")


def lines(python, module, **environment):
    """What a program prints as JSON lines."""
    done = subprocess.run(
        [python, "-m", module],
        env={**os.environ, **TWO_THREADS, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        check=True,
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


if __name__ == "__main__":
    main()
