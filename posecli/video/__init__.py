"""Video in and out: real timestamps, upright RGB, H.264 with the source's sound. Nothing about people."""

from posecli.video.open import open_source
from posecli.video.source import Source
from posecli.video.writer import VideoWriter

__all__ = ["Source", "VideoWriter", "open_source"]
