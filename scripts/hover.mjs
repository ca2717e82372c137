// What an editor shows of the packed types: names, not unrolled objects.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript'

const CODE = `import type { Output, ServerToClientEvents } from 'chat-socket-service/contract'
declare const on: <E extends keyof ServerToClientEvents>(event: E, listener: ServerToClientEvents[E]) => void
on('new_message', (heard) => {})
on('session', ({ chats }) => {})
declare const answer: Output<'send_message'>
`
const SHOWN = {
  heard: '(parameter) heard: Message',
  'chats }': '(parameter) chats: MyChat[]',
  answer: 'const answer: {\n    message: Message;\n    duplicate: boolean;\n}',
}

/** Throws where an editor in this folder, which has the package installed, would show something else. */
export function checkHover(folder) {
  const file = join(folder, 'hover.ts')
  writeFileSync(file, CODE)
  const options = { strict: true, module: ts.ModuleKind.NodeNext, target: ts.ScriptTarget.ES2022, types: ['node'] }
  const service = ts.createLanguageService({
    ...ts.sys,
    useCaseSensitiveFileNames: () => ts.sys.useCaseSensitiveFileNames,
    getScriptFileNames: () => [file],
    getScriptVersion: () => '1',
    getScriptSnapshot: (name) =>
      ts.sys.fileExists(name) ? ts.ScriptSnapshot.fromString(ts.sys.readFile(name)) : undefined,
    getCurrentDirectory: () => folder,
    getCompilationSettings: () => options,
    getDefaultLibFileName: ts.getDefaultLibFilePath,
  })
  for (const [word, expected] of Object.entries(SHOWN)) {
    const parts = service.getQuickInfoAtPosition(file, CODE.indexOf(word))?.displayParts
    const shown = ts.displayPartsToString(parts)
    if (shown !== expected) throw new Error(`over "${word}" an editor shows\n${shown}\nand not\n${expected}`)
  }
}
