/**
 * One HTML page that needs nothing else: styles, scripts and data are inside, and nothing is ever loaded. Pure: from texts to the text of the page.
 * Whatever comes from others goes through `escaped`, or into `data`, which a script reads as JSON and shows as text.
 */
export interface PageParts {
  /** Texts of files: of all such pages, of this kind of page, and the plotting library's. */
  readonly style: string
  readonly script: string
  readonly ownStyle: string
  readonly ownScript: string
  readonly plotScript: string
  readonly plotStyle: string
}

export interface PageContent {
  readonly title: string
  /** Who made it, for programs: a page of the same kind may take its place. */
  readonly generator: string
  /** HTML. */
  readonly body: string
  /** For the page's script. */
  readonly data: unknown
}

export function selfContainedPage({ title, generator, body, data }: PageContent, parts: PageParts): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="generator" content="${escaped(generator)}">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<title>${escaped(title)}</title>
<style>${parts.plotStyle}</style>
<style>${parts.style}</style>
<style>${parts.ownStyle}</style>
</head>
<body>
${body}
<script type="application/json" id="data">${JSON.stringify(data).replaceAll('<', '\\u003c')}</script>
<script>${parts.plotScript}</script>
<script>${parts.script}</script>
<script>${parts.ownScript}</script>
</body>
</html>
`
}

/** Big figures at the top: name and value. */
export function tileList(tiles: readonly (readonly [string, string])[]): string {
  return `<dl class="tiles">${tiles.map(([name, value]) => `<div><dt>${escaped(name)}</dt><dd>${escaped(value)}</dd></div>`).join('')}</dl>`
}

export function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;').replaceAll("'", '&#39;')
}
