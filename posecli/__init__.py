"""posecli: human keypoints from video, with GLSMamba. Importing this package imports nothing heavy."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("posecli")
except PackageNotFoundError:  # running from a source tree that was never installed
    __version__ = "0.0.0"
