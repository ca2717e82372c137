// TAP, as tap writes it of many files: each file's line is at the margin, and what was in it is indented.
const FILE = /^(not )?ok \d+ - (.*?)(?: # time=([\d.]+)ms)?( \{)?$/
const CHECK = /^\s+(not )?ok \d+( - )?(.*)$/
const SUITE = /^( *)# Subtest: (.*)$/
const SKIPPED = /# (SKIP|TODO) ?(.*)$/
const YAML_END = /^\s+\.\.\.$/
const MOST_LINES = 40

/** Tells of each file as it ends, and sums up; `take` is given TAP line by line. */
export function createReader({ suites, say }) {
  const failed = []
  const reasons = new Map()
  let [files, checks, bad] = [0, 0, 0]
  /** Of the file that is being read. */
  let own = []
  let note = null
  /** The suites in suites that a line is in; the first is the file. */
  let path = []

  function takeCheck(line) {
    const [, not, , title = ''] = CHECK.exec(line)
    const skip = SKIPPED.exec(title)
    if (skip) {
      const reason = skip[2] || title
      reasons.set(reason, (reasons.get(reason) ?? 0) + 1)
      return
    }
    // A suite within a suite sums up checks that were counted.
    if (/ # time=|\{$/.test(title)) return
    checks += 1
    if (!not) return
    bad += 1
    note = [[...path.slice(1), line.trim()].join(' › ')]
    own.push(note)
  }

  function takeFile(line) {
    const [, not, name, ms, isOpen] = FILE.exec(line)
    files += 1
    const seconds = ms === undefined ? '' : ` (${(Number(ms) / 1_000).toFixed(1)} s)`
    say(
      `${not ? '✗' : '✓'} ${String(files).padStart(String(suites).length)}/${suites} ${name.replace(/^dist\//, '')}${seconds}`,
    )
    if (not) failed.push({ name, notes: own })
    // What is in a file comes before its line, or, where it stands in brackets, behind it.
    own = isOpen && not ? failed.at(-1).notes : []
    note = null
    // What ended without a check that failed says why behind its line.
    if (not && !isOpen && failed.at(-1).notes.length === 0) {
      note = []
      failed.at(-1).notes.push(note)
    }
  }

  function takeSuite([, indent, name]) {
    path = [...path.slice(0, indent.length / 4), name]
  }

  return {
    take(line) {
      const suite = SUITE.exec(line)
      if (suite) takeSuite(suite)
      if (FILE.test(line)) takeFile(line)
      else if (CHECK.test(line)) takeCheck(line)
      else if (note) {
        if (note.length < MOST_LINES) note.push(line)
        if (YAML_END.test(line)) note = null
      } else if (/^Bail out!/.test(line)) say(line)
    },

    /** What failed, whole, and how many there were. */
    sum() {
      const lines = failed.flatMap(({ name, notes }) => ['', `✗ ${name}`, ...notes.flat()])
      for (const [reason, count] of reasons) lines.push('', `– ${count} skipped: ${reason}`)
      const what = `${files} files, ${checks} checks`
      lines.push(
        '',
        bad + failed.length === 0 ? `✅ ${what}, none failed` : `❌ ${what}: ${bad} failed, in ${failed.length} files`,
      )
      return lines.join('\n')
    },
  }
}
