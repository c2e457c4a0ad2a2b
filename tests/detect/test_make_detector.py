import pytest

from posecli.detect import make_detector
from posecli.errors import UsageError


@pytest.mark.parametrize("spec", ["", "yolo11n", "model.safetensors", "embedded.txt"])
def test_unknown_spelling_is_a_usage_error(spec):
    with pytest.raises(UsageError, match="unknown detector"):
        make_detector(spec, device="cpu", threshold=0.3)


@pytest.mark.parametrize("threshold", [-0.1, 1.5, float("nan")])
def test_threshold_outside_0_to_1(threshold):
    with pytest.raises(UsageError, match="threshold"):
        make_detector("embedded", device="cpu", threshold=threshold)
