import { Readable } from 'node:stream'
import t from 'tap'
import { readClaim, type Span } from '../../cli/feed/claim.js'
import { compare, isWrong, report } from '../../cli/feed/compare.js'

t.test('what a receiver says', async (t) => {
  const read = async (...lines: string[]) => [...(await readClaim(Readable.from(lines.map((line) => `${line}\n`))))]
  t.same(await read('a 3', '', '# all of b', 'b 1', 'b 2', 'b 5', 'a team\t7', 'b 4', 'b 2'), [
    ['a', [[3, 3]]],
    [
      'b',
      [
        [1, 2],
        [4, 5],
      ],
    ],
    ['a team', [[7, 7]]],
  ])
  t.same(await read('c 4-9', 'c 1-3', 'c 12-14', 'c 13'), [
    [
      'c',
      [
        [1, 9],
        [12, 14],
      ],
    ],
  ])
  for (const bad of ['alone', 'a -3', 'a 9-3', 'a 1.5', ' 7']) {
    await t.rejects(read('a 1', bad), { message: /^Line 2 is no chat and revision: /, code: 'WRONG_USE' }, bad)
  }
})

t.test('what a receiver has missed', async (t) => {
  const claim = new Map<string, Span[]>([
    ['well', [[1, 9]]],
    ['late', [[3, 7]]],
    [
      'holed',
      [
        [1, 2],
        [4, 4],
        [8, 9],
      ],
    ],
    ['ahead', [[1, 12]]],
    ['gone', [[1, 5]]],
  ])
  const heads = new Map([
    ...['well', 'late', 'holed', 'ahead', 'unheard'].map((name) => [name, 9] as const),
    ['gone', null] as const,
  ])
  const standings = compare(claim, heads, true)
  const of = (name: string) => standings.find(({ chatId }) => chatId === name)
  t.match(of('well'), { has: 9, head: 9, lag: 0, holes: [], isAhead: false })
  t.match(of('late'), { has: 7, lag: 2, holes: [] }, 'who began later has no hole before')
  t.match(of('holed'), {
    lag: 0,
    holes: [
      [3, 3],
      [5, 7],
    ],
  })
  t.match(of('ahead'), { has: 12, lag: 0, isAhead: true })
  t.match(of('unheard'), { has: 0, lag: 9 })
  t.match(of('gone'), { head: null, lag: 0 }, 'of what is gone nothing is missing')
  const wrong = (mostLag: number) =>
    standings.filter((standing) => isWrong(standing, mostLag)).map(({ chatId }) => chatId)
  t.same(wrong(0).sort(), ['ahead', 'holed', 'late', 'unheard'])
  t.same(wrong(2).sort(), ['ahead', 'holed', 'unheard'])
  t.same(
    compare(claim, heads, false).flatMap(({ holes }) => holes),
    [],
    'the highest revisions alone have no holes',
  )
  t.equal(
    report(standings, 0),
    [
      'chat     has      head  lag  missing',
      'unheard  nothing  9     9    never heard of',
      'late     7        9     2    –',
      'holed    9        9     0    3, 5-7',
      'ahead    12       9     0    more than the server has',
      '❌ 4 of 6 chats, 1 of them gone; 11 revisions behind in all; 1 with holes; 1 ahead of the server',
    ].join('\n'),
  )
})
