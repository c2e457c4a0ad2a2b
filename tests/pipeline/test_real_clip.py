"""The whole way of a real clip, with the shipped weights, against the clip's labels."""

from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from posecli.data.clips import load_clip
from posecli.detect import make_detector
from posecli.detect.tracking import DEFAULT_THRESHOLD, DEFAULT_TRACKER, make_tracker
from posecli.pipeline.estimator import estimate
from posecli.pipeline.options import Options
from posecli.video import open_source
from posecli.weights.locate import embedded_weights
from posecli.weights.models import load_model

ROOT = Path(__file__).parent.parent.parent
CLIP = ROOT.parent / "shared/data/corpus/clips/val/gym_front_raise.json"
EXAMPLE = ROOT / "examples/people.mp4"
FRAMES = 15

pytestmark = pytest.mark.skipif(
    not (embedded_weights("glsmamba-t") and embedded_weights("detector")), reason="no weights inside"
)


def poses_of(video):
    with open_source(video) as source:
        detector = make_detector("embedded", device="cpu", threshold=DEFAULT_THRESHOLD)
        tracker = make_tracker(DEFAULT_TRACKER, source.info.frame_rate, threshold=DEFAULT_THRESHOLD)
        frames = islice(source.frames(), FRAMES)
        return list(estimate(frames, detector, tracker, load_model("glsmamba-t").model, Options()))


@pytest.mark.skipif(not CLIP.is_file(), reason="the shared clips are not beside the project")
def test_a_person_is_followed_and_posed():
    poses, labels = poses_of(CLIP.with_suffix(".mp4")), load_clip(CLIP).people
    assert [len(frame) for frame in poses] == [1] * FRAMES
    assert len({int(frame.tracks.ids[0]) for frame in poses}) == 1
    near = []
    for frame in poses:
        (person,) = labels[frame.frame_index]
        distance = np.linalg.norm(frame.keypoints[0] - person.keypoints, axis=-1)
        near.append(distance[person.labelled > 0] < 0.1 * (person.box[3] - person.box[1]))
    assert np.concatenate(near).mean() > 0.9


def test_the_example_s_two_people_are_found():
    poses = poses_of(EXAMPLE)
    assert [len(frame) for frame in poses] == [2] * FRAMES
    assert len({i for frame in poses for i in frame.tracks.ids.tolist()}) == 2
