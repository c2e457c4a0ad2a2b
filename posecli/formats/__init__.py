"""Pose files: one file a format, each a streaming writer and a reader, one registry."""

from posecli.formats.base import PoseWriter
from posecli.formats.registry import FORMATS, open_writer, read_poses

__all__ = ["FORMATS", "PoseWriter", "open_writer", "read_poses"]
