"""Greedy and beam search of transformers, with its cache."""

from functools import partial

import torch

from benchmarks import transformer_workload as workload
from benchmarks.peers import marian
from benchmarks.peers.translation_pytorch import sentences
from benchmarks.timing import Case, Work, main
from benchmarks.translation_workload import TARGET, best


def cases():
    """Both decoders."""
    torch.set_num_threads(2)
    yield Case("transformer", "greedy", partial(decoding, 1))
    yield Case("transformer", workload.BEAM, partial(decoding, workload.BEAMS))


def decoding(beams):
    """`generate`; it gives scores only where asked to, of greedy search those of each step."""
    model = marian.model()
    source, _ = sentences()
    options = {
        "attention_mask": torch.ones_like(source),
        "max_new_tokens": TARGET,
        "num_beams": beams,
        "do_sample": False,
    }
    if beams > 1:
        options["length_penalty"] = 0.0

    @torch.inference_mode()
    def call(**more):
        return model.generate(source, **options, **more)

    def results(_):
        told = call(return_dict_in_generate=True, output_scores=True)
        if beams > 1:
            return best(told.sequences[:, 1:], told.sequences_scores)
        gains = model.compute_transition_scores(told.sequences, told.scores, normalize_logits=True)
        return best(told.sequences[:, 1:], gains.sum(dim=1))

    return Work(call, results)


if __name__ == "__main__":
    main(cases(), ["transformers", "torch"])
