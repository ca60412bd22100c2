"""Greedy and beam search of CTranslate2; with `--int8` in whole numbers of 8 bits."""

import sys
import tempfile
from functools import partial

import ctranslate2
from ctranslate2.converters.transformers import BartLoader

from benchmarks import transformer_workload as workload
from benchmarks.peers import marian
from benchmarks.timing import Case, Work, main
from benchmarks.translation_workload import BATCH, SPECIAL, TARGET, VOCABULARY, best, sentences

COMPUTED = "int8" if "--int8" in sys.argv else "float32"
WORDS = ["<pad>", "<unk>", "<s>", "</s>", *(str(word) for word in range(SPECIAL, VOCABULARY))]


def cases():
    """Both decoders."""
    yield Case("transformer", "greedy", partial(decoding, 1))
    yield Case("transformer", workload.BEAM, partial(decoding, workload.BEAMS))


def translator():
    """The workload's model, read from a folder that is gone afterwards.

    BART's loader, since Marian's starts from zeros in place of the start token.
    """
    model = marian.model()
    model.config.normalize_before = model.config.normalize_embedding = False
    spec = BartLoader().get_model_spec(model)
    spec.register_source_vocabulary(WORDS)
    spec.register_target_vocabulary(WORDS)
    spec.config.decoder_start_token = "<s>"
    spec.config.layer_norm_epsilon = workload.NORM_EPSILON
    spec.validate()
    spec.optimize()
    with tempfile.TemporaryDirectory() as folder:
        spec.save(folder)
        return ctranslate2.Translator(folder, compute_type=COMPUTED, intra_threads=2)


def decoding(beams):
    """`translate_batch`, on all sentences at once."""
    made, (source, _) = translator(), sentences()
    rows = [[WORDS[token] for token in row] for row in source]
    ids = {word: token for token, word in enumerate(WORDS)}

    def call():
        return made.translate_batch(
            rows,
            beam_size=beams,
            max_batch_size=BATCH,
            max_decoding_length=TARGET,
            length_penalty=0,
            return_scores=True,
        )

    def results(found):
        tokens = [[ids[word] for word in result.hypotheses[0]] for result in found]
        return best(tokens, [result.scores[0] for result in found])

    return Work(call, results)


if __name__ == "__main__":
    main(cases(), ["ctranslate2"])
