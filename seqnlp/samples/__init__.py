"""Small generated corpora with known truth."""

from seqnlp.samples.travel_requests import TravelRequest, to_conll, travel

__all__ = ["TravelRequest", "to_conll", "travel"]
