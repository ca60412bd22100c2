import pytest

from pipelines import tagging
from seqnlp.samples import to_conll, travel


@pytest.fixture(scope="session")
def prepared(tmp_path_factory):
    """The pipeline's output folder, with 40 training examples."""
    output = tmp_path_factory.mktemp("prepared")
    files = []
    for option, split, number in (
        ("train", "train", 40),
        ("dev", "eval", 40),
        ("test", "test", 5),
    ):
        path = output / f"{option}.conll"
        path.write_text(to_conll(travel(split)[:number]), encoding="utf-8")
        files.append(f"--{option}={path}")
    layout = ["--encoding=bio", "--comment=# ", "--num_shards=1"]
    tagging.run(["prepare", f"--output={output}", *files, *layout])
    return output
