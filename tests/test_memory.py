"""What the system counts when large blocks are freed and wanted again, in processes of their own."""

import os
import platform
import subprocess
import sys

import pytest

BLOCK, ROUNDS, PAGE = 64 * 2**20, 10, 4096

# Faults that the rounds after the first one cause: each page that the system has to hand out anew is one.
PROGRAM = f"""
import resource, sys
import numpy as np
from posecli.memory import keep_freed_memory

def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt

kept = keep_freed_memory() if sys.argv[1] == "keep" else None
np.ones({BLOCK}, np.uint8)
before = faults()
for _ in range({ROUNDS}):
    np.ones({BLOCK}, np.uint8)
print(kept, faults() - before)
"""

glibc_only = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc has mallopt")


# The same in another thread, which glibc gives a heap of its own.
IN_A_THREAD = PROGRAM.replace("np.ones", "ones").replace(
    "def faults",
    """
from concurrent.futures import ThreadPoolExecutor
thread = ThreadPoolExecutor(1)

def ones(*arguments):
    thread.submit(lambda: np.ones(*arguments).sum()).result()

def faults""",
)


def run(what: str, program: str = PROGRAM, **environment: str) -> tuple[str, int]:
    bare = {name: value for name, value in os.environ.items() if not name.startswith("MALLOC_")}
    command = [sys.executable, "-c", program, what]
    output = subprocess.run(
        command, env=bare | environment, capture_output=True, text=True, check=True
    ).stdout
    kept, faults = output.split()
    return kept, int(faults)


@glibc_only
@pytest.mark.parametrize("program", [PROGRAM, IN_A_THREAD], ids=["main thread", "another"])
def test_pages_are_handed_out_once(program):
    _, without = run("leave", program)
    kept, with_it = run("keep", program)
    assert kept == "True"
    assert without > ROUNDS * BLOCK / PAGE / 1024  # even where the system hands out huge pages
    assert with_it < without / 10


@glibc_only
def test_what_the_user_told_the_allocator_stands():
    kept, _ = run("keep", MALLOC_TRIM_THRESHOLD_="131072")
    assert kept == "False"
