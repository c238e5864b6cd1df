/** What the module exports. */
export { adam, rmsprop, sgd, squares } from './optimisers'
export { peak } from './peak'
export { run } from './program'
