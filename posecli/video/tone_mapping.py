"""High dynamic range and wide colours (BT.2020) to what screens and networks take: BT.709 in standard range.

Light is in cd/m2 as a mastering display shows it. Shapes: H rows, W columns, C = red, green, blue.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from posecli.types import Image

Values = npt.NDArray[np.float64]

REFERENCE_WHITE = (
    203.0  # cd/m2 of paper white in high dynamic range (ITU-R BT.2408); standard range's brightest
)
PEAK = 1000.0  # cd/m2 of the display that BT.2100 takes for HLG, and that we take where a video tells of none
PQ_PEAK = 10_000.0
HLG_SYSTEM_GAMMA = 1.2  # of a display that reaches PEAK
DISPLAY_GAMMA = 2.4  # of a standard display (ITU-R BT.1886)

BT2020_LUMINANCE = np.array([[0.2627, 0.6780, 0.0593]])
BT2020_TO_BT709 = np.array(  # ITU-R BT.2407
    [[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]]
)

_LEVELS = 1 << 16  # of the 16-bit pictures that come in, and of the tables
_LAST = _LEVELS - 1
_ROWS = 64  # at a time: the numbers in between stay in the processor's cache, whatever the picture's size


def pq_to_light(signal: Values) -> Values:
    """PQ's EOTF (SMPTE ST 2084, BT.2100 table 4): signal 0..1 to cd/m2."""
    m1, m2, c1, c2, c3 = 2610 / 16384, 2523 / 32, 3424 / 4096, 2413 / 128, 2392 / 128
    power = signal ** (1 / m2)
    return PQ_PEAK * (np.maximum(power - c1, 0) / (c2 - c3 * power)) ** (1 / m1)


def light_to_pq(light: Values) -> Values:
    """PQ's inverse EOTF: cd/m2 to signal 0..1."""
    m1, m2, c1, c2, c3 = 2610 / 16384, 2523 / 32, 3424 / 4096, 2413 / 128, 2392 / 128
    power = (light / PQ_PEAK) ** m1
    return ((c1 + c2 * power) / (1 + c3 * power)) ** m2


def hlg_to_scene(signal: Values) -> Values:
    """HLG's inverse OETF (BT.2100 table 5): signal 0..1 to the scene's light, 0..1."""
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    return np.where(signal <= 0.5, signal**2 / 3, (np.exp((signal - c) / a) + b) / 12)


def tone_map(light: Values, peak: float = PEAK) -> Values:
    """Light up to a peak into light up to REFERENCE_WHITE (the EETF of ITU-R BT.2390, section 5.4; cd/m2).

    Up to 88 cd/m2 (for PEAK) nothing changes; from there on a spline in PQ's scale bends to the new peak.
    """
    if peak <= REFERENCE_WHITE:
        return np.minimum(light, REFERENCE_WHITE)
    source, white = light_to_pq(np.array([peak, REFERENCE_WHITE]))
    most = white / source
    knee = 1.5 * most - 0.5
    signal = np.minimum(light_to_pq(light) / source, 1)
    t = np.clip((signal - knee) / (1 - knee), 0, 1)
    spline = (
        (2 * t**3 - 3 * t**2 + 1) * knee + (t**3 - 2 * t**2 + t) * (1 - knee) + (-2 * t**3 + 3 * t**2) * most
    )
    return pq_to_light(source * np.where(signal < knee, signal, spline))


_SIGNALS = np.round(255 * np.linspace(0, 1, _LEVELS) ** (2 / DISPLAY_GAMMA)).astype(np.uint8)


class WideColourConverter:
    """Pictures of one transfer function and one set of primaries to BT.709, 8 bits.

    The largest of red, green and blue goes through `tone_map` and takes the other two along, so that hues stay.
    Colours beyond BT.709 lose what it cannot show. The signal is that of a standard display (BT.1886).

    Args:
        transfer: "PQ", "HLG", or None for standard range.
        is_wide: whether the primaries are BT.2020's; otherwise they are taken for BT.709's.
        peak: cd/m2 that become standard range's brightest. HLG's are always PEAK: it has no light of its own.
    """

    def __init__(self, transfer: str | None, *, is_wide: bool, peak: float = PEAK) -> None:
        signal = np.linspace(0, 1, _LEVELS)
        # In units of REFERENCE_WHITE; for HLG still the scene's light, 0..1.
        linear = {
            "PQ": lambda: pq_to_light(signal) / REFERENCE_WHITE,
            "HLG": lambda: hlg_to_scene(signal),
            None: lambda: signal**DISPLAY_GAMMA,
        }[transfer]()
        self._linear = linear.astype(np.float32)
        self._matrix = (BT2020_TO_BT709 if is_wide else np.eye(3)).astype(np.float32)
        self._is_hlg = transfer == "HLG"
        self._gain: npt.NDArray[np.float32] | None = None
        if transfer is not None:
            light = np.linspace(0, PQ_PEAK, _LEVELS)
            mapped = tone_map(light, PEAK if self._is_hlg else peak)
            self._gain = (mapped / np.maximum(light, PQ_PEAK / _LEVELS)).astype(np.float32)
            self._gain[0] = 1

    def __call__(self, rgb_HWC: npt.NDArray[np.uint16]) -> Image:
        """(height, width, 3) uint16, the full range of the signal, to uint8."""
        converted = np.empty(rgb_HWC.shape, np.uint8)
        for top in range(0, len(rgb_HWC), _ROWS):
            rows = slice(top, top + _ROWS)
            converted[rows] = self._convert(rgb_HWC[rows])
        return converted

    def _convert(self, rgb_HWC: npt.NDArray[np.uint16]) -> Image:
        import cv2

        light_HWC = self._linear[rgb_HWC]
        if self._is_hlg:
            luminance_HW = cv2.transform(light_HWC, BT2020_LUMINANCE.astype(np.float32))
            gain_HW = cv2.pow(luminance_HW, HLG_SYSTEM_GAMMA - 1) * np.float32(PEAK / REFERENCE_WHITE)
            light_HWC *= gain_HW[..., None]
        light_HWC = np.maximum(cv2.transform(light_HWC, self._matrix), 0)
        if self._gain is not None:
            scale = np.float32(REFERENCE_WHITE / PQ_PEAK * _LAST)
            red_HW, green_HW, blue_HW = (light_HWC[..., channel] for channel in range(3))
            brightest_HW = np.maximum(
                np.maximum(red_HW, green_HW), blue_HW
            )  # max(axis=2) takes thirty times as long
            light_HWC *= self._gain[_index(brightest_HW * scale)][..., None]
        # The table is over the square root of light: even steps of light would be too coarse near black.
        return _SIGNALS[_index(np.sqrt(light_HWC) * np.float32(_LAST))]


def _index(values: npt.NDArray[np.float32]) -> npt.NDArray[np.uint16]:
    return np.minimum(values, np.float32(_LAST)).astype(np.uint16)
