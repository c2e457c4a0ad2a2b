"""High dynamic range and BT.2020 against the standards' formulas, worked here in another way."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest
from scipy.interpolate import CubicHermiteSpline

from posecli.video import open_source
from posecli.video.tone_mapping import WideColourConverter, light_to_pq, pq_to_light, tone_map

PQ, HLG, BT709_TRANSFER, BT2020_TRANSFER = 16, 18, 1, 14
BT2020 = 9  # FFmpeg's number of the primaries and of the matrix alike


def pq_signal(light: float) -> float:
    """SMPTE ST 2084's inverse EOTF, by its decimal constants."""
    power = (light / 10_000) ** 0.1593017578125
    return ((0.8359375 + 18.8515625 * power) / (1 + 18.6875 * power)) ** 78.84375


def standard_level(light: float) -> float:
    """The 8-bit level at which a BT.1886 display of 203 cd/m2 shows this."""
    return 255 * (light / 203) ** (1 / 2.4)


def luma_weights_to_ycbcr(rgb: np.ndarray) -> list[int]:
    """Ten-bit levels in limited range by BT.2020's matrix, non-constant luminance."""
    red, green, blue = rgb
    luma = 0.2627 * red + 0.6780 * green + 0.0593 * blue
    chroma = [(blue - luma) / 1.8814, (red - luma) / 1.4746]
    return [round(876 * luma) + 64, *(round(896 * value) + 512 for value in chroma)]


def to_bt2020() -> np.ndarray:
    """Linear BT.709 to linear BT.2020, from the chromaticities of their primaries and of D65."""

    def to_xyz(primaries: list[tuple[float, float]]) -> np.ndarray:
        columns = np.array([(x, y, 1 - x - y) for x, y in primaries]).T
        x, y = 0.3127, 0.3290
        white = np.array([x / y, 1, (1 - x - y) / y])
        return columns * np.linalg.solve(columns, white)

    bt709 = to_xyz([(0.64, 0.33), (0.30, 0.60), (0.15, 0.06)])
    bt2020 = to_xyz([(0.708, 0.292), (0.170, 0.797), (0.131, 0.046)])
    return np.linalg.solve(bt2020, bt709)


def make_patches(
    path: Path,
    signals: list[np.ndarray],
    transfer: int,
    *,
    codec: str = "ffv1",
    stated: bool = True,
    told: str = "",
) -> None:
    """A ten-bit video of one picture: patches of 64 pixels, side by side, of these R'G'B' signals (0..1).

    With libx265, told are more of its parameters.
    """
    options = {"x265-params": f"lossless=1:log-level=none{told}"} if codec == "libx265" else {}
    levels = np.array([luma_weights_to_ycbcr(np.asarray(signal)) for signal in signals], "<u2")
    with av.open(str(path), "w") as output:
        stream = output.add_stream(codec, rate=30, options=options)
        stream.width, stream.height = 64 * len(signals), 64
        stream.pix_fmt = "yuv444p10le" if codec == "ffv1" else "yuv420p10le"
        frame = av.VideoFrame(stream.width, stream.height, stream.pix_fmt)
        for plane, row in zip(frame.planes, levels.T, strict=True):
            padded = np.zeros((plane.height, plane.line_size // 2), "<u2")
            padded[:, : plane.width] = np.repeat(row, plane.width // len(signals))
            plane.update(padded.tobytes())
        for tagged in (stream.codec_context, frame):
            tagged.color_trc, tagged.color_range = transfer, 1
            if stated:
                tagged.color_primaries = tagged.colorspace = BT2020
        output.mux(stream.encode(frame))
        output.mux(stream.encode(None))


def read_patches(path: Path) -> tuple[np.ndarray, list[str]]:
    """(patches, 3) levels in the middle of each patch, and what was warned about."""
    with open_source(path) as source:
        image = next(iter(source.frames())).image
        return image[32, 32::64].astype(float), source.warnings


@pytest.mark.parametrize("codec", ["ffv1", "libx265"])
def test_pq_greys_keep_their_light_up_to_the_knee_and_then_bend(tmp_path, codec):
    lights = [0, 1, 5, 20, 50, 85, 120, 203, 400, 700, 1000, 4000]
    make_patches(tmp_path / "a.mkv", [np.full(3, pq_signal(v)) for v in lights], PQ, codec=codec)
    levels, warnings = read_patches(tmp_path / "a.mkv")
    assert np.ptp(levels, axis=1).max() <= 1, "grey stays grey"
    grey = levels[:, 1]
    np.testing.assert_allclose(grey[:6], [standard_level(light) for light in lights[:6]], atol=1.5)
    # BT.2390's spline by hand for 203 cd/m2: E1 = 0.7724 in the source's scale, of a knee at 0.6586 T = 1/3 of
    # the way, E2 = 0.7386, which is a signal of 0.5553 and 158 cd/m2.
    assert grey[7] == pytest.approx(standard_level(158), abs=1)
    assert list(grey[10:]) == [255, 255]
    assert (np.diff(grey[:10]) > 0).all(), "what is brighter stays brighter"
    assert warnings == ["high dynamic range (PQ) was tone-mapped to standard range"]


def bent(light: float, peak: float) -> float:
    """BT.2390-10, 5.4.1: a Hermite spline in PQ from the knee, with slope 1, to the peak, with slope 0."""
    signal, top, white = (pq_signal(value) for value in (min(light, peak), peak, 203))
    knee = 1.5 * white / top - 0.5
    if signal / top > knee:
        signal = top * CubicHermiteSpline([knee, 1], [knee, white / top], [1, 0])(signal / top)
    grid = np.linspace(0, peak, 100_000)
    return float(np.interp(signal, [pq_signal(value) for value in grid], grid))


P3_AND_D65 = "G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)"  # in 1/50,000; light in 1/10,000 cd/m2


@pytest.mark.parametrize(
    ("told", "peak"),
    [
        (f":master-display={P3_AND_D65}L(40000000,50)", 4000),
        (f":master-display={P3_AND_D65}L(40000000,50):max-cll=600,200", 600),
        (":max-cll=0,0", 1000),
        (":max-cll=150,100", 203),
    ],
)
def test_what_the_video_tells_of_its_light_counts(tmp_path, told, peak):
    """BT.2390's curve for this peak."""
    lights = [5, 20, 100, 150, 0.3 * peak, 0.6 * peak, peak, 1.2 * peak]
    path = tmp_path / "a.mkv"
    make_patches(path, [np.full(3, pq_signal(v)) for v in lights], PQ, codec="libx265", told=told)
    grey = read_patches(path)[0][:, 1]
    np.testing.assert_allclose(grey, [standard_level(bent(light, peak)) for light in lights], atol=2.5)


@pytest.mark.parametrize("stated", [True, False])
def test_hlg_by_its_system_gamma(tmp_path, stated):
    """A signal of 50 % is 1/12 of the scene's light; reference white is 75 %, 203 cd/m2 (BT.2408)."""
    make_patches(tmp_path / "a.mkv", [np.full(3, v) for v in (0, 0.25, 0.5, 0.75, 1)], HLG, stated=stated)
    levels, warnings = read_patches(tmp_path / "a.mkv")
    scene = [0, 0.25**2 / 3, 1 / 12]
    expected = [standard_level(1000 * light**1.2) for light in scene] + [standard_level(158), 255]
    np.testing.assert_allclose(levels, np.repeat(np.array(expected)[:, None], 3, axis=1), atol=1.5)
    assert warnings == ["high dynamic range (HLG) was tone-mapped to standard range"]


@pytest.mark.parametrize("transfer", [PQ, HLG, BT2020_TRANSFER])
def test_colours_of_bt709_come_back_from_bt2020(tmp_path, transfer):
    """What a standard display shows, at 80 cd/m2 for white, written in BT.2020."""
    colours = np.array([(200, 90, 40), (30, 160, 220), (220, 180, 160), (128, 128, 128)])
    linear = (colours / 255) ** 2.4 @ to_bt2020().T
    if transfer == PQ:
        signals, white = [np.array([pq_signal(80 * v) for v in colour]) for colour in linear], 80.0
    elif (
        transfer == HLG
    ):  # the scene's light such that the display's is 80 cd/m2: Y_display = 1000 Y_scene^1.2
        luminance = linear @ [0.2627, 0.6780, 0.0593] * 0.08
        scene = linear * 0.08 / (luminance ** (0.2 / 1.2))[:, None]
        low, high = np.sqrt(3 * scene), 0.17883277 * np.log(np.maximum(12 * scene - 0.28466892, 1e-9))
        signals, white = list(np.where(scene <= 1 / 12, low, high + 0.55991073)), 80.0
    else:
        signals, white = list(linear ** (1 / 2.4)), 203.0
    make_patches(tmp_path / "a.mkv", signals, transfer)
    levels, warnings = read_patches(tmp_path / "a.mkv")
    expected = 255 * ((colours / 255) ** 2.4 * white / 203) ** (1 / 2.4)
    np.testing.assert_allclose(levels, expected, atol=3)
    assert bool(warnings) == (transfer != BT2020_TRANSFER)


def test_bright_colours_keep_their_hue():
    """Light of 4:2:1 at a thousand times the range is still 4:2:1 (BT.1886 raises it to 1/2.4)."""
    signals = [[pq_signal(scale * part) for part in (4, 2, 1)] for scale in (5, 60, 240, 2400)]
    rgb = np.round(np.array([signals]) * 65_535).astype(np.uint16)
    image = WideColourConverter("PQ", is_wide=False)(rgb)[0].astype(float)
    np.testing.assert_allclose(image[:, 1] / image[:, 0], 2 ** (-1 / 2.4), atol=0.02)
    np.testing.assert_allclose(image[:, 2] / image[:, 0], 4 ** (-1 / 2.4), atol=0.02)
    assert list(image[2:, 0]) == [254, 255] or list(image[2:, 0]) == [255, 255]


def test_pq_has_its_inverse_and_the_standards_values():
    light = np.array([0, 0.1, 1, 58, 100, 203, 1000, 10_000])
    np.testing.assert_allclose(pq_to_light(light_to_pq(light)), light, rtol=1e-9, atol=1e-9)
    # BT.2408, table 1 and text: 100 cd/m2 at 51 %, 203 at 58 %, 1000 at 75 %.
    np.testing.assert_allclose(light_to_pq(light[4:7]), [0.51, 0.58, 0.75], atol=0.005)


@pytest.mark.parametrize("peak", [250, 1000, 10_000])
def test_the_curve_is_steady(peak):
    light = np.linspace(0, peak, 5 * peak + 1)
    mapped = tone_map(light, peak)
    slopes = np.diff(mapped) / 0.2
    assert mapped[-1] == pytest.approx(203)
    assert slopes.min() >= 0
    assert slopes[: len(slopes) // 2].min() > 0, "what is brighter stays brighter"
    np.testing.assert_allclose(slopes[:50], 1, atol=1e-6)
    assert np.abs(np.diff(slopes)).max() < 0.02, "no corner"


def test_light_that_needs_no_curve():
    np.testing.assert_array_equal(tone_map(np.array([0.0, 120, 300]), 150), [0, 120, 203])


def test_opacity_of_high_dynamic_range(tmp_path):
    path = tmp_path / "a.mkv"
    with av.open(str(path), "w") as output:
        stream = output.add_stream("ffv1", rate=30)
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuva444p10le"
        frame = av.VideoFrame(64, 64, "yuva444p10le")
        level = luma_weights_to_ycbcr(np.full(3, pq_signal(85)))
        for plane, value in zip(frame.planes, (*level, 512), strict=True):
            plane.update(np.full(plane.buffer_size // 2, value, "<u2").tobytes())
        for tagged in (stream.codec_context, frame):
            tagged.color_trc, tagged.color_range = PQ, 1
            tagged.color_primaries = tagged.colorspace = BT2020
        output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    levels, _ = read_patches(path)
    np.testing.assert_allclose(levels, standard_level(85) * 512 / 1023, atol=1.5)
