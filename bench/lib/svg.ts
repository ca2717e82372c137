/** A chart of horizontal bars in groups. */
export interface Chart {
  title: string
  unit: string
  groups: { name: string; bars: { name: string; value: number }[] }[]
}

const COLOURS = ['#9aa5b1', '#7b8794', '#b08968', '#2a9d8f', '#264653']
const [WIDTH, LEFT, RIGHT, BAR, GAP, TOP] = [760, 210, 70, 18, 16, 56]
const FONT = 'font-family="system-ui, sans-serif" font-size="12"'

const quote = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')

/** Draws it as SVG, readable on light and dark pages. */
export function draw({ title, unit, groups }: Chart): string {
  const most = Math.max(...groups.flatMap(({ bars }) => bars.map(({ value }) => value)))
  const parts: string[] = []
  let y = TOP
  for (const { name, bars } of groups) {
    parts.push(`<text x="12" y="${y + 13}" font-weight="600">${quote(name)}</text>`)
    for (const [i, { name, value }] of bars.entries()) {
      const width = Math.max(1, (value / most) * (WIDTH - LEFT - RIGHT))
      parts.push(
        `<text x="${LEFT - 8}" y="${y + 13}" text-anchor="end">${quote(name)}</text>`,
        `<rect x="${LEFT}" y="${y + 2}" width="${width.toFixed(1)}" height="${BAR - 4}" fill="${COLOURS[i % COLOURS.length]}"/>`,
        `<text x="${LEFT + width + 6}" y="${y + 13}">${value.toFixed(2)}</text>`,
      )
      y += BAR
    }
    y += GAP
  }
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${y}" ${FONT} fill="#1f2933" role="img" aria-label="${quote(title)}">`,
    `<rect width="${WIDTH}" height="${y}" fill="#ffffff"/>`,
    `<text x="12" y="24" font-size="15" font-weight="600">${quote(title)}</text>`,
    `<text x="12" y="42" fill="#52606d">${quote(unit)}</text>`,
    ...parts,
    '</svg>\n',
  ].join('\n')
}
