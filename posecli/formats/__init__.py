"""Pose files: one file a format, each a streaming writer and a reader, one registry."""

from posecli.formats.base import PoseWriter
from posecli.formats.registry import FORMATS, open_poses, open_writer, read_poses
from posecli.formats.stream import PoseStream

__all__ = ["FORMATS", "PoseStream", "PoseWriter", "open_poses", "open_writer", "read_poses"]
