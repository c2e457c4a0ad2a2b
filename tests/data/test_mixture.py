"""The order of samples: a function of the seed alone."""

from collections import Counter
from itertools import islice

import numpy as np
import pytest
from torch.utils.data import DataLoader, Dataset

from posecli.data.mixture import Key, Mixture, sample_rng

LENGTHS, SHARES = (7, 30, 11), (0.5, 0.3, 0.2)


def keys(first=0, last=50, seed=4, batch=6):
    return list(Mixture(LENGTHS, SHARES, batch, seed, first, last))


@pytest.mark.parametrize("first", [1, 17, 49, 50])
def test_resumed_sequence_is_the_unbroken_ones_rest(first):
    assert keys(first) == keys()[first:]
    assert len(Mixture(LENGTHS, SHARES, 6, 4, first, 50)) == 50 - first


def test_seed_fixes_the_sequence():
    assert keys() == keys()
    assert keys(seed=5) != keys()


def test_keys_name_their_step_and_place():
    assert [(key.step, key.slot) for batch in keys(3, 5) for key in batch] == [
        (step, slot) for step in (3, 4) for slot in range(6)
    ]


def test_shares_are_kept_in_the_long_run():
    counts = Counter(key.dataset for batch in keys(last=1000) for key in batch)
    for dataset, share in enumerate(SHARES):
        assert counts[dataset] / 6000 == pytest.approx(share, abs=0.03)


def test_every_sample_comes_once_before_any_comes_again():
    order = [key.index for batch in keys(last=200) for key in batch if key.dataset == 1]
    assert len(order) > 90
    for start in (0, 30, 60):
        assert sorted(order[start : start + 30]) == list(range(30))
    assert order[:30] != order[30:60]


def test_random_numbers_depend_on_step_and_place_not_on_the_sample():
    def numbers(key, seed=0):
        return sample_rng(seed, key).random(3).tolist()

    assert numbers(Key(0, 5, 8, 2)) == numbers(Key(1, 9, 8, 2))
    assert numbers(Key(0, 5, 8, 2)) != numbers(Key(0, 5, 8, 3))
    assert numbers(Key(0, 5, 8, 2)) != numbers(Key(0, 5, 9, 2))
    assert numbers(Key(0, 5, 8, 2)) != numbers(Key(0, 5, 8, 2), seed=1)


class Noise(Dataset):
    def __getitem__(self, key):
        return key.index, float(sample_rng(0, key).random())


def as_is(samples):
    return samples


def test_workers_do_not_change_the_samples():
    alone, helped = (
        list(
            DataLoader(
                Noise(), batch_sampler=Mixture((9,), (1,), 4, 0, 2, 7), num_workers=n, collate_fn=as_is
            )
        )
        for n in (0, 2)
    )
    assert alone == helped
    assert len(np.unique([value for batch in alone for _, value in batch])) == 20


def test_shares_need_not_sum_to_one():
    assert list(islice(Mixture((3, 4), (1, 3), 2, 0, 0, 9), 5)) == list(
        islice(Mixture((3, 4), (0.25, 0.75), 2, 0, 0, 9), 5)
    )
