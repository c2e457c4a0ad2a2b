"""Weights: where they lie (locate), how they are read and written (files), the spellings of public ViTPose
checkpoints (vitpose), and how checkpoints are fetched (hub).

Import from the submodules: this file stays empty, so that the command line starts without PyTorch.
"""
