/** What the module exports. */
export { run } from './program'
export { adam, rmsprop, sgd, squares } from './optimisers'

/** First byte that is free for data. */
export function heapBase(): usize {
  return __heap_base
}
