"""posecli: human keypoints from video, with GLSMamba. Importing this package imports nothing heavy."""


def __getattr__(name: str) -> str:
    """posecli.__version__, looked up when it is asked for: the lookup costs more than the rest of --help."""
    if name != "__version__":
        raise AttributeError(f"module 'posecli' has no attribute {name!r}")
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("posecli")
    except PackageNotFoundError:  # running from a source tree that was never installed
        return "0.0.0"
