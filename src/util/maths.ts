/**
 * sin, cos, exp, log and pow that give the same bits on every machine: only + - * /, comparisons, integer arithmetic and tables made of them
 * (the engine's own Math.sin and friends may differ between versions). Special values as in Math.*.
 *
 * Errors, measured against the exact value: sin and cos below 1 ulp or 1e-16 absolute up to |x| = 2^20, beyond that the argument is first
 * reduced modulo the double nearest 2 pi (error |x| * 4e-17); exp, log and pow about 1 ulp.
 * Reductions and polynomial coefficients are those of fdlibm (Sun Microsystems, 1993, freely usable).
 */

const HALF_PI_INVERSE = 0.6366197723675814
/** First 33 bits of pi/2, so that n * HALF_PI_HIGH is exact for n < 2^20; and the rest. */
const HALF_PI_HIGH = 1.5707963267341256
const HALF_PI_LOW = 6.077100506506192e-11
const QUARTER_PI = Math.PI / 4
const TWO_PI = 2 * Math.PI
/** Adding and subtracting 1.5 * 2^52 rounds to the nearest integer. */
const ROUND = 6755399441055744
const LARGEST_DIRECT = 1048576

const S1 = -0.16666666666666632
const S2 = 8.33333333332249e-3
const S3 = -1.984126982985795e-4
const S4 = 2.7557313707070068e-6
const S5 = -2.5050760253406863e-8
const S6 = 1.58969099521155e-10

const C1 = 4.16666666666666e-2
const C2 = -1.388888888887411e-3
const C3 = 2.480158728947673e-5
const C4 = -2.7557314351390663e-7
const C5 = 2.087572321298175e-9
const C6 = -1.1359647557788195e-11

/** sin(x) for |x| <= pi/4, without a check. */
export function sinSmall(x: number): number {
  const z = x * x
  return x + x * z * (S1 + z * (S2 + z * (S3 + z * (S4 + z * (S5 + z * S6)))))
}

/** cos(x) for |x| <= pi/4, without a check. */
export function cosSmall(x: number): number {
  const z = x * x
  const half = 0.5 * z
  const w = 1 - half
  return w + (1 - w - half + z * z * (C1 + z * (C2 + z * (C3 + z * (C4 + z * (C5 + z * C6))))))
}

/** sin(x + tail) for |x| <= pi/4 and a tail below half an ulp of x. */
function sinTail(x: number, tail: number): number {
  const z = x * x
  const v = z * x
  const r = S2 + z * (S3 + z * (S4 + z * (S5 + z * S6)))
  return x - (z * (0.5 * tail - v * r) - tail - v * S1)
}

function cosTail(x: number, tail: number): number {
  const z = x * x
  const half = 0.5 * z
  const w = 1 - half
  return w + (1 - w - half + (z * z * (C1 + z * (C2 + z * (C3 + z * (C4 + z * (C5 + z * C6))))) - x * tail))
}

/** sin of (quadrant * pi/2 + x): which quarter turn decides function and sign. */
function quadrantSin(quadrant: number, x: number, tail: number): number {
  const value = (quadrant & 1) === 0 ? sinTail(x, tail) : cosTail(x, tail)
  return (quadrant & 2) === 0 ? value : -value
}

function turnedSin(argument: number, turn: number): number {
  if (!(argument <= LARGEST_DIRECT && argument >= -LARGEST_DIRECT)) {
    if (argument - argument !== 0) return Number.NaN
    argument %= TWO_PI
  }
  const n = argument * HALF_PI_INVERSE + ROUND - ROUND
  const high = argument - n * HALF_PI_HIGH
  const low = n * HALF_PI_LOW
  const x = high - low
  return quadrantSin(n + turn, x, high - x - low)
}

/** Sine of `x` radians. */
export function sin(x: number): number {
  if (x === 0) return x
  return x <= QUARTER_PI && x >= -QUARTER_PI ? sinSmall(x) : turnedSin(x, 0)
}

/** Cosine of `x` radians. */
export function cos(x: number): number {
  return x <= QUARTER_PI && x >= -QUARTER_PI ? cosSmall(x) : turnedSin(x, 1)
}

const LN2_HIGH = 0.6931471803691238
const LN2_LOW = 1.9082149292705877e-10
const LN2_INVERSE = Math.LOG2E

const P1 = 0.16666666666666602
const P2 = -2.7777777777015593e-3
const P3 = 6.613756321437934e-5
const P4 = -1.6533902205465252e-6
const P5 = 4.1381367970572385e-8

/** Every power of two a double can hold: POWERS[e + 1074] = 2^e. */
const POWERS = new Float64Array(2098)
for (let e = 0, up = 1, down = 1; e <= 1074; e++, up *= 2, down /= 2) {
  if (e < 1024) POWERS[1074 + e] = up
  POWERS[1074 - e] = down
}

const EXP_OVERFLOW = 709.782712893384
const EXP_UNDERFLOW = -745.1332191019412

/** e to the power (x + tail), |tail| < 1e-12. */
function expTail(x: number, tail: number): number {
  if (!(x <= EXP_OVERFLOW)) return x > EXP_OVERFLOW ? Number.POSITIVE_INFINITY : Number.NaN
  if (x < EXP_UNDERFLOW) return 0
  const n = x * LN2_INVERSE + ROUND - ROUND
  const high = x - n * LN2_HIGH
  const low = n * LN2_LOW - tail
  const r = high - low
  const z = r * r
  const c = r - z * (P1 + z * (P2 + z * (P3 + z * (P4 + z * P5))))
  const value = 1 - (low - (r * c) / (2 - c) - high)
  if (n > 1023) return value * 2 * POWERS[n + 1073]!
  // Below the normal range the last factor rounds once.
  if (n < -1022) return value * POWERS[n + 1128]! * 5.551115123125783e-17
  return value * POWERS[n + 1074]!
}

/** e to the power `x`. */
export function exp(x: number): number {
  return expTail(x, 0)
}

const L1 = 0.6666666666666735
const L2 = 0.3999999999940942
const L3 = 0.2857142874366239
const L4 = 0.22222198432149784
const L5 = 0.1818357216161805
const L6 = 0.15313837699209373
const L7 = 0.14798198605116586
const SMALLEST_NORMAL = 2.2250738585072014e-308
const TWO_54 = 18014398509481984

const double = new Float64Array(1)
const words = new Uint32Array(double.buffer)
const HIGH = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1 ? 1 : 0

/** Binary exponent k of a positive finite `x`, chosen so that sqrt(1/2) < x / 2^k <= sqrt(2). */
function exponentOf(x: number): number {
  double[0] = x
  const k = (words[HIGH]! >>> 20) - 1023
  return scale(x, k) > Math.SQRT2 ? k + 1 : k
}

/** x / 2^k, exactly. */
function scale(x: number, k: number): number {
  return k < 1024 ? x * POWERS[1074 - k]! : x * 0.5 * POWERS[1075 - k]!
}

/** Natural logarithm of `x`; -Infinity at 0, NaN below. */
export function log(x: number): number {
  if (!(x > 0)) return x === 0 ? Number.NEGATIVE_INFINITY : Number.NaN
  if (x === Number.POSITIVE_INFINITY) return x
  if (x < SMALLEST_NORMAL) return log(x * TWO_54) - 54 * Math.LN2
  const k = exponentOf(x)
  const f = scale(x, k) - 1
  const s = f / (2 + f)
  const z = s * s
  const r = z * (L1 + z * (L2 + z * (L3 + z * (L4 + z * (L5 + z * (L6 + z * L7))))))
  const half = 0.5 * f * f
  return k * LN2_HIGH - (half - (s * (half + r) + k * LN2_LOW) - f)
}

/** Veltkamp's splitting constant, 2^27 + 1: the high part of a product with it holds 26 bits. */
const SPLIT = 134217729

/** a * b - product, exactly, for |a|, |b| < 2^900 (Dekker). */
function productError(a: number, b: number, product: number): number {
  const ta = SPLIT * a
  const ah = ta - (ta - a)
  const al = a - ah
  const tb = SPLIT * b
  const bh = tb - (tb - b)
  const bl = b - bh
  return ah * bh - product + ah * bl + al * bh + al * bl
}

/** Coefficients 1/5, 1/7, ... of artanh's series beyond the cubic; twelve make the remainder negligible for |s| < 0.172. */
const ARTANH = Float64Array.from({ length: 12 }, (_, i) => 1 / (2 * i + 5))
const THIRD = 1 / 3
const THIRD_LOW = 1.850371707708594e-17

/** x^y for normal x > 0 and finite y: y * log(x) is carried to about 2^-64 before the exponential. */
function positivePow(x: number, y: number): number {
  const k = exponentOf(x)
  const m = scale(x, k)
  // log(m) = 2 artanh(s), s = (m - 1) / (m + 1), in pairs of doubles: s, z = s^2, cubic = s * z / 3.
  const f = m - 1
  const d = m + 1
  const dLow = m - (d - 1)
  const s = f / d
  const p = s * d
  const sLow = (f - p - productError(s, d, p) - s * dLow) / d
  const z = s * s
  const zLow = productError(s, s, z) + 2 * s * sLow
  const t = z * THIRD
  const tLow = productError(z, THIRD, t) + z * THIRD_LOW + zLow * THIRD
  const cubic = s * t
  const cubicLow = productError(s, t, cubic) + s * tLow + sLow * t
  let series = 0
  for (let i = ARTANH.length - 1; i >= 0; i--) series = series * z + ARTANH[i]!
  const small = sLow + (cubicLow + s * z * z * series)
  const head = s + cubic
  const headLow = s - head + cubic + small
  // + k ln 2
  const a = k * LN2_HIGH
  const b = 2 * head
  const sum = a + b
  const shift = sum - a
  const rest = a - (sum - shift) + (b - shift) + (2 * headLow + k * LN2_LOW)
  const l = sum + rest
  const lLow = sum - l + rest
  const exponent = y * l
  if (exponent > 800) return Number.POSITIVE_INFINITY
  if (exponent < -800) return 0
  return expTail(exponent, productError(y, l, exponent) + y * lLow)
}

/** `x` to the power `y`, with the special values of Math.pow. */
export function pow(x: number, y: number): number {
  if (y === 0) return 1
  if (Number.isNaN(x) || Number.isNaN(y)) return Number.NaN
  const size = x < 0 ? -x : x
  if (y === Number.POSITIVE_INFINITY || y === Number.NEGATIVE_INFINITY) {
    if (size === 1) return Number.NaN
    return size > 1 === y > 0 ? Number.POSITIVE_INFINITY : 0
  }
  const odd = y % 2 === 1 || y % 2 === -1
  const sign = (x < 0 || Object.is(x, -0)) && odd ? -1 : 1
  if (size === 0) return y > 0 ? sign * 0 : sign * Number.POSITIVE_INFINITY
  if (size === Number.POSITIVE_INFINITY) return y > 0 ? sign * size : sign * 0
  if (x < 0 && y % 1 !== 0) return Number.NaN
  if (size === 1) return sign
  if (y === 1) return x
  if (y >= 1e300 || y <= -1e300) return size > 1 === y > 0 ? sign * Number.POSITIVE_INFINITY : sign * 0
  // A subnormal base is 2^-54 times a normal one; its logarithm is so large that the factor's own rounding does not show.
  if (size < SMALLEST_NORMAL) return sign * positivePow(size * TWO_54, y) * positivePow(TWO_54, -y)
  return sign * positivePow(size, y)
}
