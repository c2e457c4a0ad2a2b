"""Keeping freed memory, instead of handing it back to the system and asking for it again.

A network's activations are large blocks that are freed and wanted again within milliseconds. glibc gives such blocks
back to the system each time, and the system clears every page of them when they are asked for anew: a fifth of a run's
processor time on a CPU. Kept by the process, they cost some 100 MB more at the peak.
"""

from __future__ import annotations

import ctypes
import os
import sys

# glibc's malloc.h: mallopt's names for what it sets.
M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_THRESHOLD, M_ARENA_MAX = -1, -2, -3, -8
KEPT = 2**31 - 1  # bytes free at the heap's end from which on they are given back
LARGEST_BLOCK = 2**30  # bytes; a larger one is asked for from the system itself
LARGEST_BLOCK_OF_OLD = 2**25  # and for glibc before 2.35, which takes no more
PAD = 2**26  # bytes asked for beyond what is wanted: fewer, larger steps


def keep_freed_memory() -> bool:
    """Whether glibc's allocator now keeps large blocks: not where the user has told it, nor where it is another's."""
    if sys.platform != "linux" or _told_by_user():
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except AttributeError:  # musl has none
        return False
    kept = any(mallopt(M_MMAP_THRESHOLD, size) for size in (LARGEST_BLOCK, LARGEST_BLOCK_OF_OLD))
    # Threads share the one heap: those that glibc makes for each of them hold no block above 64 MB.
    return bool(
        kept and mallopt(M_TRIM_THRESHOLD, KEPT) and mallopt(M_TOP_PAD, PAD) and mallopt(M_ARENA_MAX, 1)
    )


def _told_by_user() -> bool:
    names = ("MALLOC_MMAP_THRESHOLD_", "MALLOC_TRIM_THRESHOLD_", "MALLOC_TOP_PAD_", "MALLOC_ARENA_MAX")
    return any(name in os.environ for name in names) or "glibc.malloc." in os.environ.get(
        "GLIBC_TUNABLES", ""
    )
