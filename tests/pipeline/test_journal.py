"""An estimation that stops anywhere and goes on: the same numbers, and nothing done twice."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from posecli.detect.tracking import NoTracker, make_tracker
from posecli.errors import PosecliError
from posecli.pipeline.estimator import estimate
from posecli.pipeline.journal import (
    HEADER,
    FolderJournal,
    fingerprint,
    journal_folder,
    remove_journal,
)
from posecli.pipeline.options import Options
from posecli.video.source import Source, checksum

from .test_estimator import Brightest, OnLights, film, picture

SECTION = 10
LENGTH = 47
RUN = {"source": "film.mp4"}
MANNERS = [
    (True, "tubelet"),
    (True, "reuse"),
    (False, "exact"),
]  # of all, those whose windows begin differently


class Sensitive(Brightest):
    """Its answers tell how many windows were in the batch, and the place there: what rounding does, writ large."""

    def keypoints(self, *inputs):
        points, scores = super().keypoints(*inputs)
        places = torch.arange(len(points))[:, None, None, None]
        return points + len(points) / 16 + places / 1024, scores


class SensitiveOnLights(OnLights):
    """Its scores tell how many pictures it saw at once."""

    def detect(self, images):
        found = super().detect(images)
        for boxes in found:
            boxes.scores[:] = 0.5 + len(images) / 100
        return found


class FilmSource(Source):
    """The film as a video that can be read from any frame on."""

    def __init__(self, lights):
        self.lights, self.start, self.read = lights, 0, 0

    def skip_to(self, index, pts, expected):
        assert pts == 1000 + index
        assert checksum(self.picture(index).image) == expected
        self.start = index
        return True

    def frames(self):
        for index in range(self.start, len(self.lights)):
            self.read += 1
            yield self.picture(index)

    def picture(self, index):
        return replace(picture(index, [xy for _, xy in self.lights[index]]), pts=1000 + index)

    files, warnings, close = [], [], None


def run(
    folder,
    *,
    every_frame=True,
    windows="tubelet",
    tracker="botsort",
    stop=None,
    resume=False,
    batch=3,
    chunk=4,
    source=None,
    detect_every=1,
    length=LENGTH,
):
    """All poses up to the frame before which it stops, and who worked for them."""
    lights = film(length)
    model, detector = Sensitive(every_frame), SensitiveOnLights(lights)
    options = Options(windows=windows, batch=batch, chunk=chunk, section=SECTION)
    context = max(options.reach_of(model), detect_every)
    journal = FolderJournal(folder, RUN, options.section_of(model), resume=resume, context=context)
    frames = (picture(i, [xy for _, xy in people]) for i, people in enumerate(lights))
    if source is not None:
        frames = journal.frames(source)
    follower = NoTracker() if tracker == "none" else make_tracker(tracker, 25)
    poses = []
    for pose in estimate(frames, detector, follower, model, options, journal, detect_every):
        if pose.frame_index == stop:
            break
        poses.append(pose)
    return poses, model, detector


def same(a, b):
    assert [p.frame_index for p in a] == [p.frame_index for p in b]
    for one, other in zip(a, b, strict=True):
        assert (one.time_s, one.name) == (other.time_s, other.name)
        for name in ("ids", "xyxy", "scores"):
            np.testing.assert_array_equal(getattr(one.tracks, name), getattr(other.tracks, name))
        np.testing.assert_array_equal(one.keypoints, other.keypoints)
        np.testing.assert_array_equal(one.scores, other.scores)


@pytest.mark.parametrize(("every_frame", "windows"), MANNERS)
@pytest.mark.parametrize("tracker", ["botsort", "none"])
def test_stopped_anywhere_it_goes_on_to_the_same_numbers(tmp_path, every_frame, windows, tracker):
    whole, model, _ = run(tmp_path / "whole", every_frame=every_frame, windows=windows, tracker=tracker)
    assert len(whole) == LENGTH
    assert len({len(p) for p in whole}) > 1  # people come and go
    for stop in (1, 9, 11, 12, 20, 29, 33, 46):
        folder = tmp_path / f"{stop}"
        options = {"every_frame": every_frame, "windows": windows, "tracker": tracker}
        run(folder, stop=stop, **options)
        again, part, seen = run(folder, resume=True, **options)
        same(whole, again)
        finished = (stop + 1) // SECTION * SECTION  # it is written before its last frame is handed on
        if finished:
            assert sum(seen.batches) <= LENGTH - finished
            assert sum(part.batches) < sum(model.batches)
        else:
            assert sum(seen.batches) == LENGTH


@pytest.mark.parametrize(("every_frame", "windows"), MANNERS)
@pytest.mark.parametrize("tracker", ["botsort", "bytetrack", "none"])
def test_pictures_that_are_finished_are_not_read_again(tmp_path, every_frame, windows, tracker):
    """The tracker is told what it was told before: it gives everyone the same ids as if it had seen all pictures."""
    options = {"every_frame": every_frame, "windows": windows, "tracker": tracker}
    whole, _, _ = run(tmp_path / "whole", **options)
    for stop in (9, 25, 41):
        folder = tmp_path / f"{stop}"
        run(folder, stop=stop, source=FilmSource(film(LENGTH)), **options)
        source = FilmSource(film(LENGTH))
        again, _, _ = run(folder, resume=True, source=source, **options)
        same(whole, again)
        finished = (stop + 1) // SECTION * SECTION
        assert source.read == LENGTH - finished + (1 if windows == "tubelet" else 2)


@pytest.mark.parametrize(("every_frame", "windows"), MANNERS)
@pytest.mark.parametrize(("detect_every", "length"), [(2, 47), (3, 47), (3, 50), (4, 50)])
def test_with_looks_apart_it_goes_on_to_the_same_numbers(
    tmp_path, every_frame, windows, detect_every, length
):
    """The frames that are looked at count from the video's start, not from where the run goes on."""
    options = {"every_frame": every_frame, "windows": windows, "detect_every": detect_every, "length": length}
    whole, _, all_seen = run(tmp_path / "whole", **options)
    assert sum(all_seen.batches) == len({*range(0, length, detect_every), length - 1})
    assert [len(p) for p in whole].count(0) < 5
    for stop in (12, 20, 33, 46):
        folder = tmp_path / f"{stop}"
        run(folder, stop=stop, source=FilmSource(film(length)), **options)
        source = FilmSource(film(length))
        again, _, seen = run(folder, resume=True, source=source, **options)
        same(whole, again)
        finished = (stop + 1) // SECTION * SECTION
        looked_at = {*range(0, length, detect_every), length - 1}
        assert sum(seen.batches) == len([index for index in looked_at if index >= finished])
        assert source.read == length - finished + max(detect_every, 1 if windows == "tubelet" else 2)


def test_stopped_over_and_over(tmp_path):
    whole, _, _ = run(tmp_path / "whole")
    for stop in range(4, LENGTH, 7):
        run(tmp_path / "journal", stop=stop, resume=True)
    again, _, _ = run(tmp_path / "journal", resume=True)
    same(whole, again)


def test_without_a_journal_the_numbers_are_the_same(tmp_path):
    lights = film(LENGTH)
    frames = (picture(i, [xy for _, xy in people]) for i, people in enumerate(lights))
    options = Options(batch=3, chunk=4, section=SECTION)
    plain = list(
        estimate(frames, SensitiveOnLights(lights), make_tracker("botsort", 25), Sensitive(True), options)
    )
    same(plain, run(tmp_path / "journal")[0])


def test_batches_end_with_sections(tmp_path):
    """One light from frame 2 on: two windows of five a section, and detections by 4, 4 and 2."""
    _, model, detector = run(tmp_path / "journal", batch=8, chunk=4)
    assert detector.batches == [4, 4, 2] * 4 + [4, 3]
    assert len(model.batches) == 5


@pytest.mark.parametrize("damage", ["cut", "empty", "flipped", "other"])
def test_a_torn_section_is_worked_out_anew(tmp_path, damage):
    whole, _, _ = run(tmp_path / "whole")
    folder = tmp_path / "journal"
    run(folder, stop=45)
    last = folder / "00000030.npz"
    content = last.read_bytes()
    middle = content.index(b"keypoints_NK2.npy") + 60  # among numbers, whose checksum tells
    last.write_bytes(
        {
            "cut": content[:middle],
            "empty": b"",
            "flipped": content[:middle] + bytes([content[middle] ^ 0xFF]) + content[middle + 1 :],
            "other": b"not a section",
        }[damage]
    )
    again, _, seen = run(folder, resume=True)
    same(whole, again)
    assert sum(seen.batches) == LENGTH - 30


def test_nothing_is_written_before_a_section_is_finished(tmp_path):
    run(tmp_path / "journal", stop=8)
    assert not (tmp_path / "journal").exists()
    run(tmp_path / "journal", stop=13)
    assert sorted(path.name for path in (tmp_path / "journal").iterdir()) == ["00000000.npz", HEADER]


def test_a_journal_is_not_begun_over_unasked(tmp_path):
    run(tmp_path / "journal", stop=15)
    with pytest.raises(PosecliError, match="--resume"):
        run(tmp_path / "journal")


def test_a_journal_of_another_run_is_refused(tmp_path):
    run(tmp_path / "journal", stop=15)
    with pytest.raises(PosecliError, match=r'another source \("film.mp4" then, "b.mp4" now\)'):
        FolderJournal(tmp_path / "journal", {"source": "b.mp4"}, SECTION, resume=True)
    with pytest.raises(PosecliError, match="another section"):
        FolderJournal(tmp_path / "journal", RUN, 5, resume=True)
    with pytest.raises(PosecliError, match="another batch"):
        FolderJournal(tmp_path / "journal", RUN | {"batch": 2}, SECTION, resume=True)


@pytest.mark.parametrize("content", ["{", "[]", '{"a": NaN}'])
def test_a_header_that_is_none(tmp_path, content):
    run(tmp_path / "journal", stop=15)
    (tmp_path / "journal" / HEADER).write_text(content)
    with pytest.raises(PosecliError, match="journal"):
        FolderJournal(tmp_path / "journal", RUN, SECTION, resume=True)


def test_what_is_no_journal_is_left_alone(tmp_path):
    folder = tmp_path / "journal"
    folder.mkdir()
    (folder / "mine.npz").write_text("mine")
    with pytest.raises(PosecliError, match="move it away"):
        FolderJournal(folder, RUN, SECTION, resume=True)
    remove_journal(folder)
    assert (folder / "mine.npz").read_text() == "mine"


def test_removed(tmp_path):
    run(tmp_path / "journal", stop=25)
    remove_journal(tmp_path / "journal")
    assert not (tmp_path / "journal").exists()


def test_files_are_told_apart(tmp_path):
    file = tmp_path / "a"
    file.write_text("aa")
    before = fingerprint([file])
    assert fingerprint([file]) == before
    file.write_text("aaa")
    assert fingerprint([file]) != before
    assert fingerprint([file, file]) != fingerprint([file])


def test_its_place():
    assert journal_folder(Path("out/poses.json")) == Path("out/poses.json.journal")
