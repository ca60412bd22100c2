"""Small generated corpora with known truth."""

from seqnlp.samples.questions import Passage, PassageQuestion, passages, write_questions
from seqnlp.samples.sentence_pairs import SentencePair, parallel, to_links, write_parallel
from seqnlp.samples.topics import documents, write_documents
from seqnlp.samples.travel_requests import TravelRequest, to_conll, to_tsv, travel

__all__ = [
    "Passage",
    "PassageQuestion",
    "SentencePair",
    "TravelRequest",
    "documents",
    "parallel",
    "passages",
    "to_conll",
    "to_links",
    "to_tsv",
    "travel",
    "write_documents",
    "write_parallel",
    "write_questions",
]
