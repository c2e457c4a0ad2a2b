"""Compiles every Triton kernel to machine code for an A100: the interpreter takes code that the compiler refuses.

Prints the names of the kernels. A script, because triton must not be in interpreter mode.
"""

from __future__ import annotations

import triton
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource

from posecli.nn.scan import triton_kernels

KERNELS = ("chunk_states", "carry", "outputs", "chunk_adjoints", "gradients")
CONSTANTS = {"SOFTPLUS": True, "STATES": 16, "CHUNK": 32, "LANES": 32, "REVERSE": True, "CARRIED": 16}
NUMBERS = ("length", "channels", "states", "chunks", "routes")
ONES = ("batch", "x_routes", "orders")  # at run time, too, Triton compiles a size of one as a constant
HALF_PRECISION = ("x_BGLD", "delta_BGLD")

for name in KERNELS:
    kernel = getattr(triton_kernels, name)
    signature, constants = {}, {}
    for number, argument in enumerate(kernel.arg_names):
        if argument in CONSTANTS or argument in ONES:
            signature[argument] = "constexpr"
            constants[(number,)] = CONSTANTS.get(argument, 1)
        elif argument in NUMBERS:
            signature[argument] = "i32"
        elif argument == "order_GL":
            signature[argument] = "*i64"
        else:
            signature[argument] = "*bf16" if argument in HALF_PRECISION else "*fp32"
    compiled = triton.compile(
        ASTSource(kernel, signature, constants), target=GPUTarget("cuda", 80, 32), options={"num_warps": 1}
    )
    assert compiled.asm["cubin"]
    print(name)
