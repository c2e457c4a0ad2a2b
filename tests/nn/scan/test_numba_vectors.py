"""Vectors inside numba's kernels, against what numpy says."""

import numpy as np
from numba import njit

from posecli.nn.scan.numba_vectors import WIDTH, exp2, load, multiply, multiply_add, splat, store, total


@njit
def _affine_and_sums(x, factor, offset, y, sums):
    """y = x * factor + offset row by row, and each row's sum of y * y."""
    rows, columns = x.shape
    for row in range(rows):
        squares = splat(np.float32(0.0))
        for column in range(0, columns, WIDTH):
            at = row * columns + column
            value = multiply_add(load(x, at), splat(factor), load(offset, column))
            store(y, at, value)
            squares = multiply_add(value, value, squares)
        sums[row] = total(multiply(squares, splat(np.float32(1.0))))


def test_rows_of_vectors():
    draw = np.random.default_rng(0)
    x = draw.standard_normal((3, 2 * WIDTH)).astype(np.float32)
    offset = draw.standard_normal(2 * WIDTH).astype(np.float32)
    y, sums = np.zeros((4, 2 * WIDTH), np.float32), np.zeros(3, np.float32)
    _affine_and_sums(x, np.float32(1.5), offset, y[:3], sums)
    expected = x * np.float32(1.5) + offset
    np.testing.assert_allclose(y[:3], expected, rtol=1e-6)
    np.testing.assert_allclose(sums, (expected.astype(float) ** 2).sum(1), rtol=1e-5)
    assert not y[3].any()  # nothing beyond the rows was written


def test_places_count_elements_of_the_array_whatever_its_dimensions():
    @njit
    def third_quarter(x, y):
        store(y, 0, load(x, 2 * WIDTH))

    x = np.arange(4 * WIDTH, dtype=np.float32).reshape(2, 2, WIDTH)
    y = np.zeros(WIDTH, np.float32)
    third_quarter(x, y)
    np.testing.assert_array_equal(y, x[1, 0])


def test_powers_of_two():
    """Of vectors and of single numbers, from 0 down to where float32 becomes subnormal, and beyond."""

    @njit
    def powers(x, y, z):
        for first in range(0, len(x), WIDTH):
            store(y, first, exp2(load(x, first)))
        for i in range(len(x)):
            z[i] = exp2(x[i])

    x = np.concatenate([-np.linspace(0, 126, 64 * WIDTH - 4), [-127, -1e30, -np.inf, np.nan]]).astype(
        np.float32
    )
    y, z = np.zeros_like(x), np.zeros_like(x)
    powers(x, y, z)
    np.testing.assert_array_equal(y, z)
    np.testing.assert_allclose(y[:-4], np.exp2(x[:-4].astype(float)), rtol=2e-7)
    assert y[0] == 1
    np.testing.assert_array_equal(y[-4:-1], np.float32(2.0**-126))
    assert np.isnan(y[-1])
