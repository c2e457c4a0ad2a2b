"""posecli smooth: keypoints of a file without gaps, outliers and jitter, and what can be measured of them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from posecli.cli.checks import check_pose_output
from posecli.cli.console import count, summary, warnings_in_one_line
from posecli.cli.manner import LogJsonOption
from posecli.cli.options import ForceOption, FormatName, QuietOption

LengthUnit = Literal["px", "height"]

if TYPE_CHECKING:
    from posecli.smooth.chain import Chain
    from posecli.types import Recording

FilterOption = Annotated[
    list[str] | None,
    typer.Option(
        "--filter",
        metavar="NAME[:PARAMETER=VALUE,...]",
        help="fill, hampel, median, one-euro, butterworth, savitzky-golay, or none; several are applied in turn.",
    ),
]


def smooth(
    poses: Annotated[
        Path, typer.Argument(metavar="POSES", help="The poses, in any format that posecli reads.")
    ],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FILE", help="The pose file to write.")],
    filters: FilterOption = None,
    min_score: Annotated[
        float,
        typer.Option(metavar="SCORE", min=0, max=1, help="Keypoints below do not count for the filters."),
    ] = 0.0,
    format_: Annotated[
        FormatName | None,
        typer.Option("--format", metavar="NAME", help="Of the file to write; by the suffix unless given."),
    ] = None,
    angles: Annotated[
        bool, typer.Option("--angles", help="Columns of joint angles, in degrees (tables).")
    ] = False,
    kinematics: Annotated[
        bool, typer.Option("--kinematics", help="Columns of the joints' speeds, a second (tables).")
    ] = False,
    unit: Annotated[
        LengthUnit, typer.Option(metavar="NAME", help="Of speeds: px, or height (the person's box's).")
    ] = "px",
    frame_rate: Annotated[
        float | None,
        typer.Option(
            metavar="RATE", min=1e-3, max=1e5, help="Frames a second, where the file tells no times."
        ),
    ] = None,
    force: ForceOption = False,
    quiet: QuietOption = False,
    log_json: LogJsonOption = False,
) -> None:
    """Smooth the poses of a file; the raw ones are kept beside, and smoothing again starts from them.

    Example: posecli smooth poses.json -o smooth.json --filter hampel --filter butterworth:cutoff=6
    """
    from posecli.smooth.chain import DEFAULT_FILTERS, make_chain

    names = list(DEFAULT_FILTERS) if not filters else [name for name in filters if name != "none"]
    chain = make_chain(names, min_score=min_score)
    check_pose_output(output, format_, poses, force=force)
    measures = [name for name, is_wanted in (("angle", angles), ("speed", kinematics)) if is_wanted]
    with warnings_in_one_line(quiet):
        people = _smooth_file(poses, output, format_, chain, measures, unit, frame_rate)
    summary(f"{output}: {count(people, 'person', 'people')} smoothed", quiet=quiet)


def _smooth_file(
    source: Path,
    output: Path,
    format_name: str | None,
    chain: Chain,
    measures: list[str],
    unit: LengthUnit,
    frame_rate: float | None,
) -> int:
    """How many people there are."""
    from dataclasses import replace

    from posecli.formats.smoothed import open_smoothed_writer
    from posecli.skeletons import SKELETONS
    from posecli.smooth.chain import smooth
    from posecli.smooth.kinematics import kinematics

    recording, keypoints = _raw_poses(source)
    skeleton = SKELETONS[recording.skeleton]
    rate = frame_rate or recording.video.frame_rate
    provenance = recording.provenance | {"smoothing": _provenance(source, chain) | keypoints}
    with open_smoothed_writer(
        output,
        format_name,
        video=recording.video,
        skeleton=skeleton,
        provenance=provenance,
        measures=measures,
    ) as writer:
        frames = smooth(recording.frames, chain, frame_rate=rate)
        wanted: dict[str, Any] = {"angles": "angle" in measures, "speeds": "speed" in measures, "unit": unit}
        tables = kinematics(frames, skeleton, **wanted, frame_rate=rate)
        for frame, table in zip(frames, tables, strict=True):
            writer.write(replace(frame, measures=table))
    return len({track_id for frame in frames for track_id in frame.tracks.ids.tolist()})


def _raw_poses(source: Path) -> tuple[Recording, dict[str, str]]:
    """What the filters start from, and what provenance shall say of that: of a smoothed file its raw keypoints."""
    from posecli.errors import PosecliError
    from posecli.formats import read_poses
    from posecli.formats.raw import read_raw

    recording = read_poses(source)
    earlier = recording.provenance.get("smoothing")
    if not earlier:
        return recording, {}
    raw = read_raw(source)
    if raw is None:
        of = f", {earlier['poses']}" if isinstance(earlier, dict) and "poses" in earlier else ""
        raise PosecliError(
            f"{source} is smoothed already, and keeps no raw keypoints: smooth those that it was made of{of}"
        )
    return raw, {"keypoints": "raw"}


def _provenance(source: Path, chain: Chain) -> dict[str, Any]:
    from posecli import __version__

    return {"tool": "posecli", "version": __version__, "poses": source.name} | chain.provenance()
