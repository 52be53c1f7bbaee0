"""Logarithm, power and inverse normal law that give the same bits on every machine.

NumPy's own (`np.log`, `np.power`, `standard_normal`) call libm or SVML, whose last bits differ from machine to
machine. Here every step is one exactly rounded IEEE float64 operation (+ - * / sqrt), a power of two or an
integer. numba compiles it without fast-math, so nothing is fused or reordered. Not for audio: an engine has float32
mathematics of its own.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from synth_server.kept import kept

Float64 = NDArray[np.float64]

f64, i64 = np.float64, np.int64

_LN2_HIGH = 6.93147180369123816490e-01  # 21 low bits are zero, so that an exponent times it is exact
_LN2_LOW = 1.90821492927058770002e-10
_LN2 = 0.6931471805599453
_SQRT_HALF = 0.7071067811865476
_LEAST = 2.0**-1000
_MAGIC = 1.5 * 2.0**52  # added to a number, it leaves the nearest whole number in the low bits
_MAGIC_BITS = i64(0x4338000000000000)

#: 2/1, 2/3, 2/5 … of log((1 + s) / (1 - s)) = s (2 + 2/3 s² + …), enough for |s| <= 0.1716.
_ATANH = tuple(2.0 / (2 * k + 1) for k in range(12))

#: 1/0!, 1/1!, … of exp(z), enough for |z| <= ln(2) / 2.
_EXP = tuple(1.0 / math.factorial(k) for k in range(14))

#: Wichura's rational approximations (AS 241, PPND16, Applied Statistics 37, 1988): about 1/2, then of the tails.
_CENTRE_OVER = (
    3.3871328727963666080e0,
    1.3314166789178437745e2,
    1.9715909503065514427e3,
    1.3731693765509461125e4,
    4.5921953931549871457e4,
    6.7265770927008700853e4,
    3.3430575583588128105e4,
    2.5090809287301226727e3,
)
_CENTRE_UNDER = (
    1.0,
    4.2313330701600911252e1,
    6.8718700749205790830e2,
    5.3941960214247511077e3,
    2.1213794301586595867e4,
    3.9307895800092710610e4,
    2.8729085735721942674e4,
    5.2264952788528545610e3,
)
_NEAR_OVER = (
    1.42343711074968357734e0,
    4.63033784615654529590e0,
    5.76949722146069140550e0,
    3.64784832476320460504e0,
    1.27045825245236838258e0,
    2.41780725177450611770e-1,
    2.27238449892691845833e-2,
    7.74545014278341407640e-4,
)
_NEAR_UNDER = (
    1.0,
    2.05319162663775882187e0,
    1.67638483018380384940e0,
    6.89767334985100004550e-1,
    1.48103976427480074590e-1,
    1.51986665636164571966e-2,
    5.47593808499534494600e-4,
    1.05075007164441684324e-9,
)
_FAR_OVER = (
    6.65790464350110377720e0,
    5.46378491116411436990e0,
    1.78482653991729133580e0,
    2.96560571828504891230e-1,
    2.65321895265761230930e-2,
    1.24266094738807843860e-3,
    2.71155556874348757815e-5,
    2.01033439929228813265e-7,
)
_FAR_UNDER = (
    1.0,
    5.99832206555887937690e-1,
    1.36929880922735805310e-1,
    1.48753612908506148525e-2,
    7.86869131145613259100e-4,
    1.84631831751005468180e-5,
    1.42151175831644588870e-7,
    2.04426310338993978564e-15,
)


def log(x: NDArray[Any]) -> Float64:
    """Natural logarithm of 0 < x < inf (normal numbers); error below 1.5e-16 * max(1, |log x|) + 1 ulp."""
    return _each(_logs, x)


def power(x: NDArray[Any], exponent: Any) -> Float64:
    """x ** exponent for x in [0, 1] and exponents in (0, 64]; relative error below 1e-13, 0 ** y = 0, 1 ** y = 1.

    Results below 2**-1000 are 0, so that none is subnormal.
    """
    return _each(_powers, x, np.broadcast_to(np.float64(exponent), x.shape))


def normal(uniform: NDArray[Any]) -> Float64:
    """The standard normal value that a share `uniform` of the law lies below, for 2**-53 <= uniform < 1.

    Relative error below 1e-15.
    """
    result = _each(_centres, uniform)
    tails = np.abs(uniform - 0.5) > 0.425
    result[tails] = _each(_tails, uniform[tails])
    return result


def _each(loop: Callable[..., None], *arrays: NDArray[Any]) -> Float64:
    """A compiled loop over arrays of one shape; made writable, since numba compiles anew for those that are not."""
    flat = [np.require(array, np.float64, ["C", "W"]).reshape(-1) for array in arrays]
    out = np.empty(arrays[0].shape, np.float64)
    loop(*flat, out.reshape(-1))
    return out


def _loop(function: Callable[..., None]) -> Callable[..., None]:
    """Compiled once and kept. It must not choose, or LLVM uses no vector instructions."""
    return kept(function, nogil=True, error_model="numpy")


def _inline(function: Callable[..., Any]) -> Callable[..., Any]:
    compiled: Callable[..., Any] = numba.njit(forceinline=True, error_model="numpy")(function)
    return compiled


@_inline
def _polynomial(coefficients: Any, x: float) -> Any:
    """c[0] + c[1] x + c[2] x² + …, by Horner's rule."""
    result = coefficients[-1]
    for k in range(len(coefficients) - 2, -1, -1):
        result = result * x + coefficients[k]
    return result


@_inline
def _split(x: float) -> tuple[float, float]:
    """A normal x > 0 as mantissa * 2**exponent with the mantissa in [sqrt(1/2), sqrt(2))."""
    bits = f64(x).view(i64)
    exponent = i64((bits >> i64(52)) + _MAGIC_BITS).view(f64) - (_MAGIC + 1022.0)
    mantissa = i64((bits & i64(0x000FFFFFFFFFFFFF)) | i64(0x3FE0000000000000)).view(f64)
    low = mantissa < _SQRT_HALF
    return (2.0 * mantissa if low else mantissa), (exponent - 1.0 if low else exponent)


@_inline
def _nearest(x: float) -> float:
    """The nearest whole number, for |x| < 2**51."""
    return (x + _MAGIC) - _MAGIC


@_inline
def _two_to(whole: float) -> Any:
    """2**n for a whole number n > -1023."""
    return i64((f64(whole + _MAGIC).view(i64) + i64(1023)) << i64(52)).view(f64)


@_inline
def _log_mantissa(mantissa: float) -> Any:
    s = (mantissa - 1.0) / (mantissa + 1.0)
    return s * _polynomial(_ATANH, s * s)


@_inline
def _log(x: float) -> Any:
    mantissa, exponent = _split(x)
    return exponent * _LN2_HIGH + (_log_mantissa(mantissa) + exponent * _LN2_LOW)


@_loop
def _logs(x: Any, out: Any) -> None:
    for i in range(len(out)):
        out[i] = _log(x[i])


@_loop
def _powers(x: Any, exponent: Any, out: Any) -> None:
    for i in range(len(out)):
        mantissa, twos = _split(x[i] if x[i] > _LEAST else _LEAST)
        # log2(x) * y as a whole number, which is applied exactly, and a small rest.
        scaled = twos * exponent[i]
        whole = _nearest(scaled)
        rest = (scaled - whole) * _LN2 + _log_mantissa(mantissa) * exponent[i]
        more = _nearest(rest / _LN2)
        z = rest - more * _LN2_HIGH - more * _LN2_LOW
        n = whole + more
        result = _polynomial(_EXP, z) * _two_to(n if n > -1001.0 else -1001.0)
        out[i] = result if (x[i] > 0.0) & (n >= -1000.0) else 0.0


@_loop
def _centres(uniform: Any, out: Any) -> None:
    for i in range(len(out)):
        q = uniform[i] - 0.5
        r = 0.180625 - q * q
        out[i] = q * _polynomial(_CENTRE_OVER, r) / _polynomial(_CENTRE_UNDER, r)


@_loop
def _tails(uniform: Any, out: Any) -> None:
    for i in range(len(out)):
        r = math.sqrt(-_log(uniform[i] if uniform[i] < 0.5 else 1.0 - uniform[i]))
        near = _polynomial(_NEAR_OVER, r - 1.6) / _polynomial(_NEAR_UNDER, r - 1.6)
        far = _polynomial(_FAR_OVER, r - 5.0) / _polynomial(_FAR_UNDER, r - 5.0)
        size = near if r <= 5.0 else far
        out[i] = size if uniform[i] > 0.5 else -size
