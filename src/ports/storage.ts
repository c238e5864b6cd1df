/** The data folder of one peer. Names are relative, with forward slashes; no name leaves the folder. */
export interface Storage {
  /** The bytes of `name`, or null when there is no such file. */
  read(name: string): Promise<Uint8Array | null>
  /** Replaces `name` whole: temporary file in the same folder, fsync, rename, fsync of the folder. `secret` files get mode 0600. */
  write(name: string, bytes: Uint8Array, options?: { readonly secret?: boolean }): Promise<void>
  /** Appends and returns; not fsynced. */
  append(name: string, bytes: Uint8Array): Promise<void>
  remove(name: string): Promise<void>
  /** Names of files directly in `folder` ('' is the data folder), sorted. */
  list(folder: string): Promise<readonly string[]>
}
