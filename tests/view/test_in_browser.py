"""The page in a real browser: looked at, clicked, dragged on, and what it saves."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from formats.recordings import PROVENANCE, VIDEO, assert_same, assert_same_frames, random_poses

from posecli.draw.style import track_colour
from posecli.skeletons import COCO
from posecli.types import Recording
from posecli.video import VideoWriter
from posecli.view.footage import EmbeddedVideo, LinkedVideo

from .browser import CTRL, SHIFT
from .conftest import FRAMES, HEIGHT, RATE, WIDTH, OpenPage, frame, person, recording, two_people

WRIST = COCO.index("left_wrist")
PIXEL = 0.75  # pixels of the video that a mouse's whole pixels of the screen, and drawing, may be off


def ids(shown: Recording) -> list[list[int]]:
    return [poses.tracks.ids.tolist() for poses in shown.frames]


def only_wrist(x: float, y: float) -> tuple[int, np.ndarray, np.ndarray]:
    """A person of whom nothing but a wrist is known."""
    keypoints = np.full((len(COCO), 2), np.nan, np.float32)
    keypoints[WRIST] = x, y
    return 1, np.zeros(4), keypoints


@pytest.mark.parametrize("named", [False, True])
def test_saving_without_corrections_loses_nothing(open_page: OpenPage, named: bool) -> None:
    """Missing joints, empty frames, people outside of the picture, provenance: all is as it was, to the last bit."""
    frames = random_poses(named=named)
    saved = open_page(Recording(VIDEO, COCO.name, frames, PROVENANCE)).save()
    assert_same(saved, frames, COCO)


def test_dragging_a_joint_moves_it_and_nothing_else(open_page: OpenPage) -> None:
    shown = two_people()
    viewer = open_page(shown)
    viewer.seek(5)
    x, y = shown.frames[5].keypoints[1, WRIST]
    viewer.page.drag(viewer.on_screen(x, y), viewer.on_screen(x + 30, y - 40))
    saved = viewer.save()
    moved = saved.frames[5]
    np.testing.assert_allclose(moved.keypoints[1, WRIST], [x + 30, y - 40], atol=PIXEL)
    assert moved.scores[1, WRIST] == 1
    assert saved.provenance["corrections"] == ["left wrist moved"]
    moved.keypoints[1, WRIST], moved.scores[1, WRIST] = (x, y), shown.frames[5].scores[1, WRIST]
    assert_same_frames(saved.frames, shown.frames)


def test_what_is_undone_is_as_it_was(open_page: OpenPage) -> None:
    shown = two_people()
    viewer = open_page(shown)
    x, y = shown.frames[0].keypoints[0, WRIST]
    viewer.page.drag(viewer.on_screen(x, y), viewer.on_screen(x + 20, y))
    viewer.page.click("#delete-track")
    assert viewer.page.text("#summary") == f"{FRAMES} frames, 1 track"
    viewer.page.press("z", CTRL)
    viewer.page.press("z", CTRL)
    saved = viewer.save()
    assert_same_frames(saved.frames, shown.frames)
    assert saved.provenance == shown.provenance
    viewer.page.press("z", CTRL | SHIFT)
    np.testing.assert_allclose(viewer.save().frames[0].keypoints[0, WRIST], [x + 20, y], atol=PIXEL)


def test_escape_lets_a_joint_go(open_page: OpenPage) -> None:
    shown = two_people()
    viewer = open_page(shown)
    start = viewer.on_screen(*shown.frames[0].keypoints[0, WRIST])
    viewer.page.mouse("mousePressed", *start)
    viewer.page.call("Input.dispatchMouseEvent", type="mouseMoved", x=400, y=300, button="left", buttons=1)
    viewer.page.press("Escape")
    viewer.page.mouse("mouseReleased", 400, 300)
    assert_same_frames(viewer.save().frames, shown.frames)


def test_a_joint_that_is_missing_can_be_placed_and_taken_away(open_page: OpenPage) -> None:
    viewer = open_page(recording([frame(0, [only_wrist(100, 50)])]))
    viewer.page.choose("#joint", COCO.index("left_elbow"))
    viewer.page.click_at(*viewer.on_screen(200, 150), SHIFT)
    viewer.page.choose("#joint", WRIST)
    viewer.page.press("Delete")
    (saved,) = viewer.save().frames
    np.testing.assert_allclose(saved.keypoints[0, COCO.index("left_elbow")], [200, 150], atol=PIXEL)
    assert np.isfinite(saved.scores[0]).tolist() == [name == "left_elbow" for name in COCO.keypoints]


def test_a_place_can_be_typed(open_page: OpenPage) -> None:
    viewer = open_page(two_people())
    viewer.page.choose("#joint", WRIST)
    viewer.page.choose("#joint-x", 33.5)
    assert viewer.save().frames[0].keypoints[0, WRIST, 0] == 33.5


@pytest.mark.parametrize(
    ("clicks", "expected"),
    [
        (["#delete-track"], [[2]] * 4),
        (["#remove-person"], [[1, 2], [1, 2], [2], [1, 2]]),
        (["#split"], [[1, 2], [1, 2], [3, 2], [3, 2]]),
        (["#swap"], [[1, 2], [1, 2], [2, 1], [2, 1]]),
        (["#merge"], [[1]] * 4),  # both are on every frame: the selected one stays
        (["#split", "#merge"], [[1, 3], [1, 3], [3], [3]]),  # the new track is selected, and gets track 2
    ],
)
def test_tracks_are_corrected(open_page: OpenPage, clicks: list[str], expected: list[list[int]]) -> None:
    shown = replace(two_people(), frames=two_people().frames[:4])
    viewer = open_page(shown)
    viewer.page.click("#tracks li button")
    viewer.seek(2)
    for selector in clicks:
        viewer.page.click(selector)
    assert ids(viewer.save()) == expected


def test_the_parts_of_a_track_become_one(open_page: OpenPage) -> None:
    frames = [frame(i, [person(1 if i < 3 else 2, 100 + i, 100)]) for i in range(6)]
    viewer = open_page(recording(frames))
    viewer.page.click("#tracks li button")
    viewer.page.click("#merge")
    saved = viewer.save()
    assert ids(saved) == [[1]] * 6
    np.testing.assert_array_equal(
        [poses.keypoints for poses in saved.frames], [poses.keypoints for poses in frames]
    )


def test_a_track_is_switched_off_and_on(open_page: OpenPage) -> None:
    """Its half of the picture becomes empty, and the other stays as it is to the last pixel."""
    viewer = open_page(two_people())
    both = viewer.drawn()
    middle = both.shape[1] // 2
    assert both[:, :middle].any()
    viewer.page.click("#tracks li:first-child input")
    right_only = viewer.drawn()
    assert not right_only[:, :middle].any()
    np.testing.assert_array_equal(right_only[:, middle:], both[:, middle:])
    viewer.page.click("#show-none")
    assert not viewer.drawn().any()
    viewer.page.click("#show-all")
    np.testing.assert_array_equal(viewer.drawn(), both)


def test_joints_below_the_least_score_are_not_drawn(open_page: OpenPage) -> None:
    viewer = open_page(recording([frame(0, [only_wrist(100, 50)])]))
    assert viewer.drawn().any()
    viewer.page.choose("#least-score", 0.95)
    assert not viewer.drawn().any()


def test_tracks_have_the_colours_of_rendered_videos(open_page: OpenPage) -> None:
    numbers = [1, 2, 7, 40, 1234]
    viewer = open_page(recording([frame(0, [person(n, 150, 120) for n in numbers])]))
    swatches = viewer.page.evaluate(
        "[...document.querySelectorAll('#tracks .swatch')].map(s => getComputedStyle(s).backgroundColor)"
    )
    assert swatches == ["rgb({}, {}, {})".format(*track_colour(n)) for n in numbers]


def moving_square(path: Path, times: list[float]) -> list[tuple[int, int]]:
    """Writes a video of a white square that jumps about, and tells where its middle is on each frame."""
    places = [(20 + 53 * i % 280, 20 + 37 * i % 200) for i in range(len(times))]
    with VideoWriter(path, width=WIDTH, height=HEIGHT, frame_rate=100) as writer:
        for (x, y), time_s in zip(places, times, strict=True):
            image = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
            image[y - 8 : y + 9, x - 8 : x + 9] = 255
            writer.write(image, time_s=time_s)
        # Chromium takes a wrong duration of the pictures before a file's end, and does not seek to all of them.
        for i in range(1, 6):
            writer.write(image, time_s=times[-1] + 0.04 * i)
    return places


BRIGHT = f"""(() => {{
  const canvas = Object.assign(document.createElement('canvas'), {{width: {WIDTH}, height: {HEIGHT}}});
  const context = canvas.getContext('2d');
  context.drawImage(document.querySelector('#video'), 0, 0, {WIDTH}, {HEIGHT});
  const data = context.getImageData(0, 0, {WIDTH}, {HEIGHT}).data;
  let [count, x, y] = [0, 0, 0];
  for (let i = 0; i < data.length; i += 4) if (data[i] > 128) {{
    count++; x += (i / 4) % {WIDTH}; y += Math.floor(i / 4 / {WIDTH});
  }}
  return [x / count, y / count];
}})()"""
TIMES = [0.0, 0.04, 0.12, 0.16, 0.3, 0.31, 0.5, 0.9, 0.93, 1.2]  # a variable frame rate


@pytest.mark.parametrize("kept_every", [1, 3])
def test_the_overlay_is_in_step_with_the_video(open_page: OpenPage, tmp_path: Path, kept_every: int) -> None:
    """Seeking to a frame shows that frame of the video, and its people; also if only every third was looked at."""
    places = moving_square(tmp_path / "clip.mp4", TIMES)
    poses = [frame(i, [only_wrist(*places[i])], TIMES[i]) for i in range(len(TIMES))][::kept_every]
    viewer = open_page(recording(poses), EmbeddedVideo(tmp_path / "clip.mp4", False))
    viewer.page.wait_for("document.querySelector('#video').readyState >= 2")
    viewer.plain()
    for at in [2, 0, 3, 1, *range(len(poses))]:
        viewer.seek(at)
        viewer.page.wait_for("!document.querySelector('#video').seeking")
        viewer.page.settle()
        expected = places[at * kept_every]
        np.testing.assert_allclose(viewer.page.evaluate(BRIGHT), expected, atol=1)
        np.testing.assert_allclose(viewer.centre_drawn(), expected, atol=1)


def test_playing_and_stepping(open_page: OpenPage, tmp_path: Path) -> None:
    times = [i / 10 for i in range(60)]
    places = moving_square(tmp_path / "clip.mp4", times)
    poses = [frame(i, [only_wrist(*places[i])], times[i]) for i in range(len(times))]
    viewer = open_page(recording(poses), EmbeddedVideo(tmp_path / "clip.mp4", False))
    viewer.page.wait_for("document.querySelector('#video').readyState >= 2")
    viewer.plain()
    viewer.page.press(" ")
    viewer.page.wait_for("document.querySelector('#video').currentTime > 0.35")
    viewer.page.press(" ")
    viewer.page.wait_for("document.querySelector('#video').paused")
    for _ in range(5):  # a last picture may still be on its way
        viewer.page.settle()
    stopped = viewer.frame
    assert stopped >= 3
    np.testing.assert_allclose(viewer.page.evaluate(BRIGHT), places[stopped], atol=1)
    np.testing.assert_allclose(viewer.centre_drawn(), places[stopped], atol=1)
    for key, wanted in (("ArrowRight", stopped + 1), ("ArrowRight", stopped + 2), ("ArrowLeft", stopped + 1)):
        viewer.page.press(key)
        viewer.page.wait_for(f"document.querySelector('#clock').textContent.includes(' {wanted} /')")
    viewer.page.press("End")
    viewer.page.wait_for("document.querySelector('#clock').textContent.includes(' 59 /')")


def test_a_linked_video_is_found_beside_the_page(open_page: OpenPage, tmp_path: Path) -> None:
    folder = tmp_path / "a folder & #1"
    folder.mkdir()
    places = moving_square(folder / "clip ü?.mp4", TIMES)
    poses = [frame(i, [only_wrist(*places[i])], TIMES[i]) for i in range(len(TIMES))]
    footage = LinkedVideo.beside(tmp_path / "page.html", folder / "clip ü?.mp4", False)
    viewer = open_page(recording(poses), footage)
    viewer.page.wait_for("document.querySelector('#video').readyState >= 2")
    assert viewer.page.evaluate("document.querySelector('#video').videoWidth") == WIDTH


def test_a_clip_plays_without_a_video(open_page: OpenPage) -> None:
    shown = two_people()
    viewer = open_page(shown)
    viewer.page.choose("#rate", 0.5)
    viewer.page.press(" ")
    viewer.page.wait_for(f"document.querySelector('#clock').textContent.includes(' {FRAMES - 1} /')")
    viewer.page.wait_for("document.querySelector('#play').getAttribute('aria-label') === 'Play'")
    viewer.page.press("Home")
    assert viewer.frame == 0


def test_every_frame_shows_its_own_people(open_page: OpenPage) -> None:
    viewer = open_page(recording([frame(i, [only_wrist(40 + 20 * i, 60 + 5 * i)]) for i in range(FRAMES)]))
    viewer.plain()
    for index in (0, 7, 3, FRAMES - 1):
        viewer.seek(index)
        np.testing.assert_allclose(viewer.centre_drawn(), [40 + 20 * index, 60 + 5 * index], atol=PIXEL)


def test_the_timeline_is_clicked_to_seek(open_page: OpenPage) -> None:
    viewer = open_page(two_people())
    left, top, width = viewer.page.evaluate(
        "(() => { const e = document.querySelector('#lanes'); e.scrollIntoView({block: 'center'});"
        " const r = e.getBoundingClientRect(); return [r.left, r.top, r.width]; })()"
    )
    viewer.page.click_at(
        left + 44 + (width - 44) * 7.5 / FRAMES, top + 33
    )  # after the gutter; the second lane
    assert viewer.frame == 7
    assert viewer.page.text("#track-title") == "Selected: track 2"


def test_speed_and_angle(open_page: OpenPage) -> None:
    """An elbow that is bent by 90 degrees, and moves by (3, 4) pixels a frame: 5 pixels in 1/25 s."""
    shown = []
    for i in range(5):
        keypoints = np.full((len(COCO), 2), np.nan, np.float32)
        elbow = np.array([100 + 3 * i, 80 + 4 * i])
        for name, offset in (("left_elbow", (0, 0)), ("left_shoulder", (0, -30)), ("left_wrist", (40, 0))):
            keypoints[COCO.index(name)] = elbow + offset
        shown.append(frame(i, [(1, np.array([60, 40, 200, 200]), keypoints)]))
    viewer = open_page(recording(shown))
    viewer.page.choose("#joint", COCO.index("left_elbow"))
    viewer.seek(2)
    assert viewer.page.text("#position-caption") == "Position: x 106.0 px, y 88.0 px"
    assert viewer.page.text("#speed-caption") == f"Speed: {5 * RATE:.0f} px/s"
    assert viewer.page.text("#angle-caption") == "Angle to left shoulder and left wrist: 90°"
    viewer.page.choose("#joint", COCO.index("nose"))
    assert viewer.page.text("#angle-caption") == "Angle: none at this joint"


@pytest.mark.parametrize(
    "hostile", ["</script><script>document.hacked=1</script>", "<img src=x onerror=document.hacked=1>"]
)
def test_nothing_in_a_file_becomes_markup(open_page: OpenPage, hostile: str) -> None:
    shown = recording([replace(frame(0, [person(1, 100, 100)]), name=hostile)], **{hostile: hostile})
    viewer = open_page(shown)
    assert viewer.page.evaluate("document.hacked ?? null") is None
    saved = viewer.save()
    assert saved.provenance == shown.provenance
    assert saved.frames[0].name == hostile


def test_no_script_runs_but_the_pages_own(open_page: OpenPage) -> None:
    viewer = open_page(two_people())
    viewer.page.evaluate(
        "(() => { const s = document.createElement('script'); s.textContent = 'document.hacked = 1';"
        " document.body.append(s); })()"
    )
    assert viewer.page.evaluate("document.hacked ?? null") is None
    assert len(viewer.page.problems()) == 1  # the refusal, which is in order
    viewer.page.forget_problems()


@pytest.mark.parametrize("width", [360, 800, 1400])
def test_nothing_is_wider_than_the_window(open_page: OpenPage, width: int) -> None:
    viewer = open_page(two_people(), width=width)
    assert viewer.page.evaluate("document.documentElement.scrollWidth") <= width


def test_without_its_video_the_page_says_so_and_goes_on(open_page: OpenPage) -> None:
    viewer = open_page(two_people(), LinkedVideo("gone.mp4", False))
    viewer.page.wait_for("!document.querySelector('#notice').hidden")
    viewer.seek(4)
    assert viewer.drawn().any()
    viewer.page.forget_problems()  # that the file was not found


def test_a_joint_can_be_dragged_when_zoomed_in(open_page: OpenPage) -> None:
    shown = two_people()
    viewer = open_page(shown)
    viewer.page.choose("#zoom", 2)
    x, y = shown.frames[0].keypoints[0, WRIST]
    viewer.page.drag(viewer.on_screen(x, y), viewer.on_screen(x + 10, y - 10))
    np.testing.assert_allclose(viewer.save().frames[0].keypoints[0, WRIST], [x + 10, y - 10], atol=PIXEL)
