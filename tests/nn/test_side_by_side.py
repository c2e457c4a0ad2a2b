"""Two batches at once: the same answers, in the same modes, and nothing changed for what follows."""

import threading

import pytest
import torch

from posecli.nn.flip_test import FlipTested, mean_of_looks
from posecli.nn.pose_model import PoseModel
from posecli.nn.side_by_side import both
from tests.nn.test_pose_model import crops, small

ONE, TWO = torch.tensor(1.0), torch.tensor(2.0)


@pytest.fixture(params=[1, 2, 3])
def threads(request):
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield request.param
    torch.set_num_threads(before)


def test_the_looks_are_those_of_one_after_the_other(threads):
    torch.manual_seed(0)
    model, images = PoseModel(small()).eval(), crops(3)
    with torch.inference_mode():
        expected = mean_of_looks(model(images), model(images.flip(3)), model.config.joints)
        torch.testing.assert_close(FlipTested(model)(images), expected)
    assert torch.get_num_threads() == threads


def test_they_run_at_once_and_share_the_cores(threads):
    if threads == 1:
        pytest.skip("one core has nothing to share")
    meeting = threading.Barrier(2, timeout=20)  # seconds: broken, an error, where nobody else comes
    cores = []

    def network(batch):
        meeting.wait()
        cores.append(torch.get_num_threads())
        return batch + 1

    with torch.inference_mode():
        assert [answer.item() for answer in both(network, ONE, TWO)] == [2, 3]
    assert sum(cores) == threads
    assert torch.get_num_threads() == threads


@pytest.mark.parametrize("bf16", [False, True])
@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
def test_both_run_in_the_callers_modes(threads, mode, bf16):
    def network(batch):
        return batch @ batch

    with mode(), torch.autocast("cpu", torch.bfloat16, enabled=bf16):
        answers = both(network, torch.eye(2), torch.eye(2))
    for answer in answers:
        assert answer.dtype == (torch.bfloat16 if bf16 else torch.float32)
        assert answer.is_inference() == (mode is torch.inference_mode)


def test_gradients_pass(threads):
    weight = torch.tensor(3.0, requires_grad=True)
    first, second = both(lambda batch: weight * batch, ONE, TWO)
    (first + second).backward()
    assert weight.grad == 3


@pytest.mark.parametrize("bad", [ONE, TWO])
def test_an_error_of_either_is_raised_and_no_thread_stays(threads, bad):
    def network(batch):
        if batch is bad:
            raise ValueError("damaged")
        return batch

    with torch.inference_mode(), pytest.raises(ValueError, match="damaged"):
        both(network, ONE, TWO)
    assert torch.get_num_threads() == threads
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("posecli-second")]
