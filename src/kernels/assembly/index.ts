/** What the module exports. */
export { allFinite, axpy, difference, dot, largest, scale, squares } from './arrays'
export { categorical, categoricalGradient } from './categorical'
export { decodeF16, encodeF16 } from './f16'
export { decodeInt8, encodeInt8 } from './int8'
export { adam, rmsprop, sgd } from './optimisers'
export { peak } from './peak'
export { run } from './program'
