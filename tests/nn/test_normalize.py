import torch

from posecli.nn.normalize import normalize


def test_colours_become_the_networks_range_channels_first():
    image = torch.tensor([[[[0, 255, 51]]]], dtype=torch.uint8)
    torch.testing.assert_close(normalize(image), torch.tensor([-1.0, 1.0, -0.6]).view(1, 3, 1, 1))


def test_mean_and_deviation_are_a_channels_own():
    image = torch.tensor([[[[51, 102, 204]]]], dtype=torch.uint8)
    result = normalize(image, (0.1, 0.2, 0.3), (0.5, 0.25, 1.0))
    torch.testing.assert_close(result.flatten(), torch.tensor([0.2, 0.8, 0.5]))


def test_memory_is_channels_last():
    image = torch.randint(0, 256, (2, 5, 4, 3), dtype=torch.uint8)
    result = normalize(image)
    assert result.shape == (2, 3, 5, 4)
    assert result.is_contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(result[1, 2, 4, 3], image[1, 4, 3, 2] / 127.5 - 1)
