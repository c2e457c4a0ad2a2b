"""Filters over people's trajectories: gaps, outliers, jitter. Raw keypoints are kept beside what they became."""

from posecli.smooth.chain import FILTERS, Chain, make_chain, smooth
from posecli.smooth.stream import check_streams, smooth_stream
from posecli.types import SmoothedPoses

__all__ = ["FILTERS", "Chain", "SmoothedPoses", "check_streams", "make_chain", "smooth", "smooth_stream"]
