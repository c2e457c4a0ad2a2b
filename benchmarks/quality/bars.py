"""What was asked of the embedded models, and whether it is reached."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from benchmarks.quality.detection import OURS
from benchmarks.quality.networks import ENCODER, THUNDER, WHOLE

AP50 = 0.75
RECALL_TALL = 0.95
BELOW_THUNDER = 0.06  # at most, on people labelled by people
AGREEMENT = 0.85
NAMES = {ENCODER: "the encoder's alone", THUNDER: "Thunder's"}
LOOKS = {"difference": "", "flipped_difference": " (with the flip test, as `estimate` does)"}
ABOVE_ENCODER = {"blur": 0.03, "occlusion": 0.03, "dark": 0.0, "compression": 0.0}


@dataclass(frozen=True, slots=True)
class Bar:
    """One demand, in words, and what was measured."""

    what: str
    asked: str
    measured: str
    met: bool
    interval: str = ""


def bars(figures: Mapping[str, Any]) -> list[Bar]:
    """Those whose figures are there."""
    found: list[Bar] = []
    for row in figures.get("detection", []):
        if row["detector"] == OURS and row["data"] == "pictures":
            found.append(_share("detector: AP50", row["ap50"], AP50))
            found.append(
                _share("detector: recall, people taller than a quarter", row["recall_tall"], RECALL_TALL)
            )
    if "human" in figures:
        for look, note in LOOKS.items():
            gap = figures["human"].get(look, {}).get(THUNDER)
            if gap is not None:
                what = f"human labels: PCK@0.1 minus Thunder's{note}"
                found.append(_gap(what, gap, -BELOW_THUNDER, strictly=False))
        found.append(
            _share("agreement with teacher labels, PCK@0.1", figures["agreement"]["pck"][WHOLE][0], AGREEMENT)
        )
    for kind, figure in figures.get("degraded", {}).items():
        for other, least in ((ENCODER, ABOVE_ENCODER[kind]), (THUNDER, 0.0)):
            for look, note in LOOKS.items():
                if other in figure.get(look, {}):
                    what = f"{kind}: PCK@0.1 minus {NAMES[other]}{note}"
                    found.append(_gap(what, figure[look][other], least, strictly=least == 0))
    return found


def _share(what: str, value: float, least: float) -> Bar:
    return Bar(what, f"at least {least:.2f}", f"{value:.3f}", value >= least)


def _gap(what: str, gap: Mapping[str, float], least: float, *, strictly: bool) -> Bar:
    met = gap["value"] > least if strictly else gap["value"] >= least
    asked = f"above {100 * least:.0f}" if strictly else f"at least {100 * least:+.0f}"
    interval = f"{100 * gap['low']:+.1f} to {100 * gap['high']:+.1f}"
    return Bar(what, f"{asked} points", f"{100 * gap['value']:+.1f} points", met, interval)
