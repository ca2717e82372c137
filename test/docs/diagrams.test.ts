import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { diagram } from '../../scripts/docs/diagrams.js'
import { files, root } from './markdown.js'

const texts = [...files].filter((path) => /^docs\/diagrams\/.+\.txt$/.test(path))
const read = (path: string) => readFileSync(join(root, path), 'utf8')

t.test('each picture is as its text says, and shows all of it', async (t) => {
  t.ok(texts.length >= 3)
  for (const path of texts) {
    const svg = read(path.replace('.txt', '.svg'))
    t.equal(svg, diagram(path, read(path)), `${path}: npm run docs`)
    const shown = svg.replace(/<style>[\s\S]*<\/style>|<[^>]+>/g, ' ')
    const words = read(path)
      .replace(/^(lanes:|==|->)|--?>|[|=:]/gm, ' ')
      .match(/[\p{L}_.]{3,}/gu)
    for (const word of words ?? []) t.ok(shown.includes(word.replace(/\.$/, '')), `${path}: ${word}`)
  }
})

t.test('nothing is drawn outside of the picture', async (t) => {
  for (const path of texts) {
    const svg = diagram(path, read(path))
    const [, width = 0, height = 0] = (/viewBox="0 0 (\d+) (\d+)"/.exec(svg) ?? []).map(Number)
    const boxes = [...svg.matchAll(/<rect class="\w+" x="([\d.-]+)" y="([\d.-]+)" width="([\d.]+)" height="([\d.]+)"/g)]
    t.ok(boxes.length > 5)
    for (const [rect, ...numbers] of boxes) {
      const [x = 0, y = 0, w = 0, h = 0] = numbers.map(Number)
      t.ok(x >= 0 && y >= 0 && x + w <= width && y + h <= height, `${path}: ${rect}`)
    }
  }
})

t.test('a text that cannot be drawn is refused, and one with signs of XML is text', async (t) => {
  t.throws(() => diagram('x.txt', 'Title\nlanes: One | Two\nOne -> Three: hello\n'), { message: /Three/ })
  t.match(diagram('x.txt', 'A <b> & c\nlanes: One | Two\nOne -> Two: <i>\n'), 'A &lt;b&gt; &amp; c')
})
