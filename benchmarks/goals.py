"""How much faster than each peer we mean to be."""

from benchmarks import seq2seq_workload, transformer_workload
from benchmarks.crf_workloads import SHAPES

SMALL, MIDDLE, LARGE = (f"crf({','.join(map(str, shape))})" for shape in SHAPES)

ADDONS, ADDONS_XLA = "TensorFlow Addons", "TensorFlow Addons, XLA"
PYTORCH_CRF, PYTORCH_CRF_COMPILED = "pytorch-crf", "pytorch-crf, compiled"
LOOP = "plain Python loop"
PYTORCH, PYTORCH_COMPILED = "PyTorch", "PyTorch, CRF compiled"
PYTORCH_STEP_COMPILED, PYTORCH_ALL_COMPILED = "PyTorch, step compiled", "PyTorch, compiled"
TRANSFORMERS, KERAS_HUB = "transformers", "keras-hub's BART"
CTRANSLATE2, CTRANSLATE2_INT8 = "CTranslate2", "CTranslate2, int8"
BERT_ALL, BERT_GATHERED = "transformers, all places", "transformers, gathered"
BERT_COMPILED, BERT_KERAS_HUB = "transformers, gathered, compiled", "keras-hub's BERT"
DATASETS = "tokenizers and datasets"
GOOGLE = "create_pretraining_data.py"
FAST_BERT = "FastBertTokenizer alone"
PYTORCH_PACKED, PYTORCH_PADDED = "PyTorch, packed", "PyTorch, padded"

# (workload, metric, peer) -> how many times as fast as the peer
GOALS = {
    **{(shape, "loss gradient", ADDONS): 6 for shape in (SMALL, MIDDLE, LARGE)},
    **{(shape, "loss gradient", PYTORCH_CRF): 12 for shape in (SMALL, MIDDLE, LARGE)},
    **{(shape, "loss gradient", PYTORCH_CRF_COMPILED): 4 for shape in (SMALL, MIDDLE)},
    (SMALL, "viterbi", ADDONS): 5,
    (MIDDLE, "viterbi", ADDONS): 5,
    (LARGE, "viterbi", ADDONS): 2.2,
    **{(shape, "viterbi", ADDONS_XLA): 1.5 for shape in (SMALL, MIDDLE, LARGE)},
    ("tagger", "training step", PYTORCH_COMPILED): 1.5,
    ("tagger", "inference", PYTORCH): 2,
    ("seq2seq", "training step", PYTORCH_STEP_COMPILED): 1.6,
    ("seq2seq", "greedy", PYTORCH_STEP_COMPILED): 1.5,
    ("seq2seq", seq2seq_workload.BEAM, PYTORCH_STEP_COMPILED): 1.5,
    ("transformer", "training step", PYTORCH): 1.9,
    ("transformer", "training step", PYTORCH_ALL_COMPILED): 1.9,
    ("transformer", "training step", KERAS_HUB): 1.2,
    **{
        ("transformer", metric, peer): goal
        for metric in ("greedy", transformer_workload.BEAM)
        for peer, goal in ((TRANSFORMERS, 2), (KERAS_HUB, 2), (CTRANSLATE2, 0.8))
    },
    ("BERT", "training step", BERT_COMPILED): 2,
    ("BERT", "training step", BERT_KERAS_HUB): 1.15,
    ("BERT data", "examples from text", DATASETS): 1.5,
    ("BERT data", "examples from text", GOOGLE): 7,
    ("WordPiece", "ids from text", FAST_BERT): 0.95,
    ("tagging epoch", "epoch", PYTORCH_PACKED): 1 / 0.7,
    ("prepare 20 MB", "processor time", LOOP): 1 / 1.6,
}
