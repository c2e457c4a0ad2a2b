"""What the settings of an estimation reach."""

from pathlib import Path

import pytest

from posecli.pipeline.session import Session, Settings

EXAMPLE = Path(__file__).parents[2] / "examples/people.mp4"
TASKS = Path("/proc/self/task")  # a folder for each thread of this process


@pytest.mark.skipif(not TASKS.is_dir(), reason="threads are counted as Linux does")
def test_one_thread_holds_for_the_decoder_too():
    before = len(list(TASKS.iterdir()))
    with Session(Settings(threads=1)).open(str(EXAMPLE)) as video:
        next(iter(video.frames()))
        assert len(list(TASKS.iterdir())) == before
    with Session(Settings(threads=4)).open(str(EXAMPLE)) as video:
        next(iter(video.frames()))
        assert len(list(TASKS.iterdir())) > before
