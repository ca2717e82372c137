import type { TSchema } from '@sinclair/typebox'
import t from 'tap'
import { COMMAND_NAMES, COMMANDS } from '../../contract/commands.js'
import { EVENT_NAMES, EVENTS } from '../../contract/events.js'
import { RESOURCE_NAMES, RESOURCES, type Resource } from '../../contract/resources.js'
import { COMMAND_EXAMPLES } from '../../scripts/docs/examples/commands.js'
import { EVENT_EXAMPLES } from '../../scripts/docs/examples/events.js'
import { RESOURCE_EXAMPLES } from '../../scripts/docs/examples/resources.js'
import { compile } from '../../services/validator.js'

/** What is wrong with an example, by the validator that both doors use. */
function faultsOf(schema: TSchema, example: unknown): unknown {
  const validate = compile(schema)
  return validate(example) ? [] : validate.errors?.map(({ instancePath, message }) => `${instancePath} ${message}`)
}

t.test('the examples of commands and events fit the contract', async (t) => {
  for (const name of COMMAND_NAMES) {
    const { input, output } = COMMAND_EXAMPLES[name]
    t.same(faultsOf(COMMANDS[name].input, input), [], `${name}: input`)
    t.same(faultsOf(COMMANDS[name].output, output), [], `${name}: output`)
  }
  for (const name of EVENT_NAMES) t.same(faultsOf(EVENTS[name].payload, EVENT_EXAMPLES[name]), [], name)
})

t.test('the examples of the other routes fit the contract', async (t) => {
  for (const name of RESOURCE_NAMES) {
    const { input, answers }: Resource = RESOURCES[name]
    const { answers: told = {}, ...asked } = RESOURCE_EXAMPLES[name] as { answers?: object }
    const given = new Map(Object.entries(asked))
    for (const [part, schema] of Object.entries(input)) {
      t.same(faultsOf(schema, given.get(part)), [], `${name}: ${part}`)
    }
    const ofAnswers = new Map(Object.entries(told))
    t.same([...ofAnswers.keys()], Object.keys(answers ?? {}), `${name}: an example of each answer`)
    for (const [status, schema] of Object.entries(answers ?? {})) {
      t.same(faultsOf(schema, ofAnswers.get(status)), [], `${name}: ${status}`)
    }
  }
})
