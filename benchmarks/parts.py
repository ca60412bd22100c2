"""What is compared with what."""

from typing import NamedTuple

from benchmarks import bert_workload, goals, seq2seq_workload, transformer_workload
from benchmarks.complexity_workloads import KINDS
from benchmarks.rnn_workloads import workloads as rnn_workloads
from benchmarks.sides import Side
from benchmarks.tagger_workload import BATCH, FORWARD_GFLOP


class Comparison(NamedTuple):
    """A workload and who runs it.

    Args:
        workload: Name of the workload, as the sides know it.
        sides: Tuple of `Side`; the others' results must equal the first one's.
        about: Shapes and settings, for the table.
        tolerance: Largest difference of results, relative to the largest number.
        gflop: Metric -> GFLOP of matrix products an item; what it has, is set against the peak.
        tries: Most runs of a side, times the runs it needs.
        limit: Seconds that a side may take to build and call a case for the first time, and for
            a run.
        setup: Tuple of commands, each module and arguments, that must have run before.
    """

    workload: str
    sides: tuple
    about: str
    tolerance: float = 1e-4
    gflop: dict = {}  # noqa: RUF012 - never changed
    tries: int = 5
    limit: int = 300
    setup: tuple = ()


TENSORFLOW, XLA, JAX = "seqnlp, TensorFlow", "seqnlp, TensorFlow XLA", "seqnlp, JAX"


def _ours(who, backend, *command):
    return Side(who, command, environment={"KERAS_BACKEND": backend}, ours=True)


def _pytorch(who, *command):
    return Side(who, command, ".venv-peers", make="peers")


def _addons(who, *command):
    return Side(who, command, ".venv-addons", make="addons")


def _crf(name):
    sides = [
        _ours(XLA, "tensorflow", "benchmarks.crf"),
        _ours(JAX, "jax", "benchmarks.crf"),
        _addons(goals.ADDONS, "benchmarks.peers.crf_addons"),
        _addons(goals.ADDONS_XLA, "benchmarks.peers.crf_addons", "--jit"),
        _pytorch(goals.PYTORCH_CRF, "benchmarks.peers.crf_pytorch"),
    ]
    if name != goals.LARGE:  # where compiling does not come to an end
        compiled = ("benchmarks.peers.crf_pytorch", "--compile")
        sides.append(_pytorch(goals.PYTORCH_CRF_COMPILED, *compiled))
    about = "(batch, time, tags); lengths from half of time to time; float32"
    return Comparison(name, tuple(sides), about)


def _peak():
    sides = (
        _ours("TensorFlow XLA", "tensorflow", "benchmarks.peak", "--jit"),
        _ours("TensorFlow", "tensorflow", "benchmarks.peak"),
        _ours("JAX", "jax", "benchmarks.peak"),
    )
    return Comparison("gemm(1024)", sides, "float32 matrix product, 1024 x 1024 x 1024")


def _tagger():
    sides = (
        _ours(TENSORFLOW, "tensorflow", "benchmarks.tagger"),
        _ours(XLA, "tensorflow", "benchmarks.tagger", "--jit"),
        _ours(JAX, "jax", "benchmarks.tagger", "--jit"),
        _pytorch(goals.PYTORCH, "benchmarks.peers.tagger_pytorch"),
        _pytorch(goals.PYTORCH_COMPILED, "benchmarks.peers.tagger_pytorch", "--compile"),
    )
    about = (
        "embedding 100, BiLSTM 200 a direction, dense 17, CRF; batch 32, time 50, Adam, float32; "
        "inference with decoding"
    )
    gflop = {"training step": 3 * BATCH * FORWARD_GFLOP, "inference": FORWARD_GFLOP}
    return Comparison("tagger", sides, about, 1e-3, gflop)


def _seq2seq():
    ours, peer = "benchmarks.seq2seq", "benchmarks.peers.seq2seq_pytorch"
    sides = (
        *_ours_thrice(ours),
        _pytorch(goals.PYTORCH, peer),
        _pytorch(goals.PYTORCH_STEP_COMPILED, peer, "--compile"),
    )
    about = (
        "embeddings 256, GRU encoder 512, additive attention 512 asked by the state before, GRU "
        "decoder 512, 8000 words; batch 64, from 30 to 30 tokens, Adam, float32; decoders take "
        "30 steps"
    )
    return Comparison("seq2seq", sides, about, 1e-3, seq2seq_workload.gflop())


def _attention():
    command = ("benchmarks.attention_scores",)
    sides = _ours(XLA, "tensorflow", *command), _ours(JAX, "jax", *command)
    about = "the model of seq2seq with attention 512 of each kind; Adam, float32"
    return Comparison("attention score", sides, about, 1e-3)


def _transformer():
    ours, peer = "benchmarks.transformer", "benchmarks.peers.transformer"
    sides = (
        *_ours_thrice(ours),
        _pytorch(goals.PYTORCH, f"{peer}_pytorch"),
        _pytorch(goals.PYTORCH_ALL_COMPILED, f"{peer}_pytorch", "--compile"),
        _pytorch(goals.TRANSFORMERS, f"{peer}_transformers"),
        _pytorch(goals.CTRANSLATE2, f"{peer}_ctranslate2"),
        _pytorch(goals.CTRANSLATE2_INT8, f"{peer}_ctranslate2", "--int8")._replace(alike=False),
        _pytorch(goals.KERAS_HUB, f"{peer}_keras_hub")._replace(
            alike=False, environment={"KERAS_BACKEND": "tensorflow"}
        ),
    )
    about = (
        "post-norm, ReLU, 3 + 3 layers of 256, 4 heads, feed-forward 1024, one table of 8000 "
        "words; batch 64, from 30 to 30 tokens, Adam, float32; decoders have a cache and take 30 "
        "steps; BART has GELU and learned positions, and like the whole numbers of int8 its "
        "results are other ones: of both only the shapes are checked"
    )
    return Comparison("transformer", sides, about, 1e-3, transformer_workload.gflop())


def _bert():
    peer = "benchmarks.peers.bert_transformers"
    hub = _pytorch(goals.BERT_KERAS_HUB, "benchmarks.peers.bert_keras_hub")
    sides = (
        *_ours_thrice("benchmarks.bert"),
        _pytorch(goals.BERT_ALL, peer),
        _pytorch(goals.BERT_GATHERED, peer, "--gather"),
        _pytorch(goals.BERT_COMPILED, peer, "--gather", "--compile"),
        hub._replace(alike=False, environment={"KERAS_BACKEND": "tensorflow"}),
    )
    about = (
        "4 layers of 256, 4 heads, feed-forward 1024, 30522 pieces; batch 32, length 128, 20 "
        "hidden pieces, both losses, Adam, float32; keras-hub has no loss of the next sentence"
    )
    return Comparison("BERT", sides, about, 1e-3, bert_workload.gflop())


def _ours_thrice(module):
    return (
        _ours(TENSORFLOW, "tensorflow", module),
        _ours(XLA, "tensorflow", module, "--jit"),
        _ours(JAX, "jax", module, "--jit"),
    )


def _rnn(workload):
    command, keras = ("benchmarks.rnn",), ("benchmarks.rnn", "--keras")
    sides = (
        _ours(TENSORFLOW, "tensorflow", *command),
        _ours(XLA, "tensorflow", *command, "--jit"),
        _ours(JAX, "jax", *command),
        Side("Keras, TensorFlow", keras, environment={"KERAS_BACKEND": "tensorflow"}),
        Side("Keras, JAX", keras, environment={"KERAS_BACKEND": "jax"}),
        _pytorch(goals.PYTORCH, "benchmarks.peers.rnn_pytorch"),
    )
    about = "(batch, time, features); gradients for inputs and weights; float32"
    gflop = {"forward and backward": 3 * workload.forward_gflop}
    return Comparison(workload.name, sides, about, 1e-3, gflop)


def _complexity(kind):
    command = ("benchmarks.complexity",)
    sides = _ours(XLA, "tensorflow", *command), _ours(JAX, "jax", *command)
    about = "one sequence of so many tokens; gradients for inputs and weights; float32"
    return Comparison(kind.workload, sides, about, 1e-3, tries=2)


def _epoch(options):
    if options.data is None:
        print("epoch: not run: it needs --data, the folder of the public sets")
        return []
    output = str(options.output / "epoch")
    files = {"train": "train", "dev": "dev", "test": "test"}
    given = [
        f"--{name}={options.data}/ud_english_ewt/en_ewt-ud-{split}.conllu.xz"
        for name, split in files.items()
    ]
    prepare = ("pipelines.tagging", "prepare", "--output", output, "--input_format=conllu")
    ours, peer = "benchmarks.tagging_epoch", "benchmarks.peers.tagging_epoch_pytorch"
    sides = (
        _ours(TENSORFLOW, "tensorflow", ours, "--output", output),
        _pytorch(goals.PYTORCH_PACKED, peer, "--output", output),
        _pytorch(goals.PYTORCH_PADDED, peer, "--output", output, "--padded"),
    )
    about = (
        "UD English-EWT, 12544 sentences; words 100, character BiLSTM 100 a direction, two BiLSTM "
        "layers of 200, CRF; batch 32, dropout 0.33, Adam; reading and batching included"
    )
    setup = ((*prepare, *given), (ours, "--output", output, "--write"))
    return [Comparison("tagging epoch", sides, about, tries=2, limit=1800, setup=setup)]


def _serving(options):
    if not options.export.is_dir():
        print(f"serving: not run: {options.export} is not there; `make demo` makes an export")
        return []
    command = ("benchmarks.serving", "--export", str(options.export), "--by")
    rest, grpc, graph = (
        _ours(who, "tensorflow", *command, by)
        for who, by in (("REST", "rest"), ("gRPC", "grpc"), ("graph alone", "graph"))
    )
    about = "the test double; a text a request; clients and server share the processors"
    return [
        Comparison("serving, 1 client", (rest, grpc, graph), about),
        Comparison("serving, 16 clients", (rest, grpc), about),
        Comparison("served graph", (graph,), "share of tokenising in the signature's time"),
    ]


def _prepare(options):
    corpus = str(options.output / "prepare")
    command = ("benchmarks.prepare", "--corpus", corpus)
    ours = _ours("seqnlp", "tensorflow", *command)
    about = (
        "CoNLL lines of the sample grammar; processor seconds of a process, its start included; "
        "the loop reads, checks tags, splits, counts, writes shuffled TFRecord shards"
    )
    setup = ((*command, "--write"),)
    loop = Side(goals.LOOP, (*command, "--by", "loop"))
    sides, memory = (ours, loop), "resident memory of the process at its highest"
    return [
        Comparison("prepare 20 MB", sides, about, 0.0, tries=2, setup=setup),
        Comparison("prepare's memory", (ours,), memory, tries=1, setup=setup),
    ]


def _bert_corpus(options):
    """The folder of BERT's text and what writes it."""
    corpus = str(options.output / "pretraining_data")
    return corpus, (("benchmarks.pretraining_data", "--corpus", corpus, "--write"),)


def _word_piece(options):
    corpus, setup = _bert_corpus(options)
    peer = ("benchmarks.peers.word_piece_tensorflow_text", "--corpus", corpus)
    sides = (
        _ours("seqnlp", "tensorflow", "benchmarks.word_piece", "--corpus", corpus),
        Side(goals.FAST_BERT, peer),
    )
    about = (
        "5 MB of the sample grammar, 1000 lines a call, in the graph, case and accents taken "
        "away; ours takes bytes that are no UTF-8 too"
    )
    return [Comparison("WordPiece", sides, about, 0.0, setup=setup)]


def _pretraining_data(options):
    corpus, setup = _bert_corpus(options)
    ours, peer = "benchmarks.pretraining_data", "benchmarks.peers.pretraining_data_datasets"
    side = _ours("seqnlp", "tensorflow", ours, "--corpus", corpus)
    about = (
        "20 MB of the sample grammar's documents, a sentence a line, one vocabulary; pairs, 20 "
        "hidden pieces at most, written compressed; a process each, its start left out"
    )
    sides = [side, _pytorch(goals.DATASETS, peer, "--corpus", corpus)]
    if options.google_bert:
        google = ("benchmarks.peers.pretraining_data_google", "--corpus", corpus)
        sides.append(Side(goals.GOOGLE, (*google, "--clone", str(options.google_bert))))
    memory = "resident memory of the process at its highest"
    return [
        Comparison("BERT data", tuple(sides), about, tries=2, setup=setup),
        Comparison("BERT data's memory", (side,), memory, tries=1, setup=setup),
    ]


# Name -> function of the options that gives the comparisons.
PARTS = {
    "attention": lambda _: [_attention()],
    "bert": lambda _: [_bert()],
    "complexity": lambda _: [_complexity(kind) for kind in KINDS],
    "crf": lambda _: [_crf(name) for name in (goals.SMALL, goals.MIDDLE, goals.LARGE)],
    "peak": lambda _: [_peak()],
    "rnn": lambda _: [_rnn(workload) for workload in rnn_workloads()],
    "seq2seq": lambda _: [_seq2seq()],
    "tagger": lambda _: [_tagger()],
    "transformer": lambda _: [_transformer()],
    "epoch": _epoch,
    "prepare": _prepare,
    "pretraining_data": _pretraining_data,
    "word_piece": _word_piece,
    "serving": _serving,
}
