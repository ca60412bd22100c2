"""Where a figure comes from: the commit and the processor."""

import pathlib
import platform
import subprocess

FIGURES = ("benchmarks/*.jsonl", "README.md", "docs/*.md")


def commit():
    """The commit, with a plus if other files than those of figures differ from it."""
    others = [f":(exclude,top){path}" for path in FIGURES]
    changed = _git("diff", "HEAD", "--", ":/", *others)
    return _git("rev-parse", "--short", "HEAD") + ("+" if changed else "")


def processor():
    """The name of the processor."""
    try:
        lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def _git(*arguments):
    return subprocess.run(["git", *arguments], capture_output=True, text=True).stdout.strip()
