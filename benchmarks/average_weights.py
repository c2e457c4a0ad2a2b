"""The mean of two models of one training line, weight by weight: often better than either (Wortsman et al., 2022).

    python -m benchmarks.average_weights FIRST.safetensors SECOND.safetensors -o MEAN.safetensors [--share 0.5]

Wortsman et al., "Model soups", ICML 2022. Both files are whole models of one configuration (posecli models info), the
second trained on from the first. Scores are to be calibrated anew (benchmarks/calibration.py): the law in the
configuration is FIRST's.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from posecli.weights.files import load_metadata, load_tensors, save_tensors


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("first", type=Path)
    parser.add_argument("second", type=Path)
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--share", type=float, default=0.5, help="of the second model")
    arguments = parser.parse_args()
    first, second = (load_tensors(path) for path in (arguments.first, arguments.second))
    mean = {
        name: weight.float().lerp(second[name].float(), arguments.share).to(weight.dtype)
        for name, weight in first.items()
    }
    metadata = load_metadata(arguments.first)
    metadata["mean_of"] = f"{arguments.first.name}, {arguments.second.name} at {arguments.share}"
    save_tensors(arguments.output, mean, metadata)


if __name__ == "__main__":
    main()
