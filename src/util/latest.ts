/** Maps that remember the latest few keys. */

/** Sets `key` as the latest of `map`, and forgets the oldest keys beyond `most`. */
export function setLatest<Key, Value>(map: Map<Key, Value>, key: Key, value: Value, most: number): void {
  map.delete(key)
  map.set(key, value)
  for (const oldest of map.keys()) {
    if (map.size <= most) return
    map.delete(oldest)
  }
}
