"""Sixteen float32 as one value inside numba's kernels, and the exponential of one number or of sixteen.

The compiler vectorises a loop by itself only where few arrays meet in it: for each pair of them that could overlap it
needs a check. Here loads and stores are vectors from the start, and nothing has to be proven. Where the processor's
registers are narrower, the compiler uses several.

Arrays are C-contiguous float32 of any number of dimensions; `first` counts elements from their beginning, unchecked.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import extending, types
from numba.core import cgutils
from numba.extending import models, register_model

WIDTH = 16

# Its type asks for the typing context in every call, which only numba gives.
intrinsic: Any = extending.intrinsic

# A minimax fit of (2 ** f - 1) / f on [-1/2, 1/2], highest power first; then the 1 that it leaves out.
_EXP2_COEFFICIENTS = (
    0.001326472731307149,
    0.009671512991189957,
    0.05550733581185341,
    0.24022242426872253,
    0.6931470036506653,
    1.0,
)
_LEAST_EXPONENT = -126.0  # of a normal float32
_MANTISSA_BITS = 23

_FLOAT = ir.FloatType()
_INT = ir.IntType(32)
_VECTOR = ir.VectorType(_FLOAT, WIDTH)


class _Vector(types.Type):
    """numba's type of them."""

    def __init__(self) -> None:
        super().__init__(name=f"float32x{WIDTH}")


vector = _Vector()


@register_model(_Vector)
class _VectorModel(models.PrimitiveModel):
    def __init__(self, manager: Any, fe_type: Any) -> None:
        super().__init__(manager, fe_type, _VECTOR)


@intrinsic
def load(typing_context: Any, array: Any, first: Any) -> Any:
    """array[first : first + WIDTH]."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.load(_place(context, builder, signature, arguments), align=4)

    return vector(array, types.intp), generate


@intrinsic
def store(typing_context: Any, array: Any, first: Any, value: Any) -> Any:
    """array[first : first + WIDTH] = value."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        builder.store(arguments[2], _place(context, builder, signature, arguments), align=4)
        return context.get_dummy_value()

    return types.void(array, types.intp, vector), generate


def _place(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    array = context.make_array(signature.args[0])(context, builder, arguments[0])
    return builder.bitcast(builder.gep(array.data, [arguments[1]]), _VECTOR.as_pointer())


@intrinsic
def splat(typing_context: Any, x: Any) -> Any:
    """WIDTH times the same number."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        undefined = ir.Constant(_VECTOR, ir.Undefined)
        one = builder.insert_element(undefined, arguments[0], ir.Constant(_INT, 0))
        return builder.shuffle_vector(one, undefined, ir.Constant(ir.VectorType(_INT, WIDTH), [0] * WIDTH))

    return vector(types.float32), generate


@intrinsic
def multiply(typing_context: Any, a: Any, b: Any) -> Any:
    """a * b."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.fmul(*arguments)

    return vector(vector, vector), generate


@intrinsic
def multiply_add(typing_context: Any, a: Any, b: Any, c: Any) -> Any:
    """a * b + c, in one rounding where the processor can."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        product = builder.fmul(arguments[0], arguments[1], flags=("contract",))
        return builder.fadd(product, arguments[2], flags=("contract",))

    return vector(vector, vector, vector), generate


@intrinsic
def total(typing_context: Any, a: Any) -> Any:
    """The sum of all WIDTH numbers."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind = ir.FunctionType(_FLOAT, [_FLOAT, _VECTOR])
        name = f"llvm.vector.reduce.fadd.v{WIDTH}f32"
        function = cgutils.get_or_insert_function(builder.module, kind, name)
        return builder.call(function, [ir.Constant(_FLOAT, 0.0), arguments[0]], fastmath=("reassoc",))

    return types.float32(vector), generate


@intrinsic
def exp2(typing_context: Any, t: Any) -> Any:
    """2 ** t for t <= 0, a float32 or a vector, to 2e-7 relative; 2 ** -126 below that; NaN stays NaN; 1 at 0."""
    is_vector = isinstance(t, _Vector)
    number = vector if is_vector else types.float32

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind, integer = (_VECTOR, ir.VectorType(_INT, WIDTH)) if is_vector else (_FLOAT, _INT)

        def constant(kind: Any, value: float) -> Any:
            return ir.Constant(kind, [value] * WIDTH if is_vector else value)

        least = constant(kind, _LEAST_EXPONENT)
        t = builder.select(builder.fcmp_ordered("<", arguments[0], least), least, arguments[0])
        nearest = builder.call(_rint(builder, kind), [t])
        fraction = builder.fsub(t, nearest)
        p = constant(kind, _EXP2_COEFFICIENTS[0])
        for coefficient in _EXP2_COEFFICIENTS[1:]:
            p = builder.fadd(builder.fmul(p, fraction), constant(kind, coefficient))
        # Times 2 ** nearest, by adding to the exponent's bits.
        exponent = builder.shl(builder.fptosi(nearest, integer), constant(integer, _MANTISSA_BITS))
        return builder.bitcast(builder.add(builder.bitcast(p, integer), exponent), kind)

    return number(number), generate


def _rint(builder: Any, kind: Any) -> Any:
    name = f"llvm.rint.v{WIDTH}f32" if isinstance(kind, ir.VectorType) else "llvm.rint.f32"
    return cgutils.get_or_insert_function(builder.module, ir.FunctionType(kind, [kind]), name)
