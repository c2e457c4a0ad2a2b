"""Sections as bytes and back."""

import numpy as np
import pytest

from posecli.pipeline.sections import DAMAGE, Section
from posecli.types import Boxes, Poses, Tracks


def section(people, *, boxes=True, names=False):
    random = np.random.default_rng(0)
    poses = []
    for i, count in enumerate(people):
        tracks = Tracks(
            random.integers(1, 99, count),
            random.random((count, 4), np.float32),
            random.random(count, np.float32),
        )
        points, scores = random.random((count, 3, 2), np.float32), random.random((count, 3), np.float32)
        if count:
            points[0, 1] = scores[0, 1] = np.nan
        poses.append(Poses(40 + i, i / 3, tracks, points, scores, f"ü{i}.png" if names else None))
    found = [Boxes(p.tracks.xyxy[:1] + 1, p.tracks.scores[:1] / 2) for p in poses] if boxes else []
    told = [[random.random((2, 3), np.float32), *random.random((n, 5), np.float32)] for n in people]
    return Section(40, poses, found, [1000 + i for i in range(len(people))], told, 0xDEADBEEF)


@pytest.mark.parametrize("people", [[2, 0, 1], [0, 0], [3]])
@pytest.mark.parametrize("boxes", [False, True])
@pytest.mark.parametrize("names", [False, True])
def test_round_trip_to_the_last_bit(tmp_path, people, boxes, names):
    written = section(people, boxes=boxes, names=names)
    (tmp_path / "a.npz").write_bytes(written.to_bytes())
    read = Section.read(tmp_path / "a.npz")
    assert (read.first, len(read), len(read.boxes)) == (40, len(people), len(written.boxes))
    assert (read.stamps, read.checksum) == (written.stamps, 0xDEADBEEF)
    for a, b in zip(written.answers, read.answers, strict=True):
        for one, other in zip(a, b, strict=True):
            assert one.shape == other.shape
            np.testing.assert_array_equal(one, other)
    for a, b in zip(written.poses, read.poses, strict=True):
        assert (a.frame_index, a.time_s, a.name) == (b.frame_index, b.time_s, b.name)
        pairs = [(a.keypoints, b.keypoints), (a.scores, b.scores), (a.tracks.ids, b.tracks.ids)]
        pairs += [(a.tracks.xyxy, b.tracks.xyxy), (a.tracks.scores, b.tracks.scores)]
        for one, other in pairs:
            assert one.dtype == other.dtype
            np.testing.assert_array_equal(one, other)
    for a, b in zip(written.boxes, read.boxes, strict=True):
        np.testing.assert_array_equal(a.xyxy, b.xyxy)
        np.testing.assert_array_equal(a.scores, b.scores)


def test_every_cut_and_no_pickle(tmp_path):
    content = section([2, 0, 1]).to_bytes()
    for end in range(0, len(content), 97):
        (tmp_path / "a.npz").write_bytes(content[:end])
        with pytest.raises(DAMAGE):
            Section.read(tmp_path / "a.npz")
    with (tmp_path / "b.npz").open("wb") as file:
        np.savez(file, allow_pickle=True, first=np.array({}), times_F=np.array([print], object))
    with pytest.raises(ValueError, match="pickle"):
        Section.read(tmp_path / "b.npz")


def test_what_is_not_known_stays_unknown(tmp_path):
    poses = section([1]).poses
    (tmp_path / "a.npz").write_bytes(Section(40, poses, [], [None]).to_bytes())
    read = Section.read(tmp_path / "a.npz")
    assert (read.stamps, read.answers, read.boxes) == ([None], [], [])
