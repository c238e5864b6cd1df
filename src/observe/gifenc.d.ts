/** What is used of gifenc, which has no types of its own. */
declare module 'gifenc' {
  type Palette = readonly (readonly number[])[]
  interface Encoder {
    writeFrame(index: Uint8Array, width: number, height: number, options: { readonly palette: Palette; readonly delay: number }): void
    finish(): void
    bytes(): Uint8Array
  }
  const gifenc: {
    GIFEncoder(): Encoder
    quantize(rgba: Uint8Array, maxColours: number): Palette
    applyPalette(rgba: Uint8Array, palette: Palette): Uint8Array
  }
  // biome-ignore lint/style/noDefaultExport: the package's own form
  export default gifenc
}
