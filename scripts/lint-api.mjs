// Lints docs/openapi.json by Redocly's and Spectral's rules and docs/asyncapi.json by AsyncAPI's own parser; a warning is a failure, too.
// Other files may be named instead: node scripts/lint-api.mjs <openapi> <asyncapi>.
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { Parser } from '@asyncapi/parser'
import { createConfig, lintFromString } from '@redocly/openapi-core'
import spectralCore from '@stoplight/spectral-core'
import spectralRulesets from '@stoplight/spectral-rulesets'

const root = resolve(import.meta.dirname, '..')
const [openapi = resolve(root, 'docs/openapi.json'), asyncapi = resolve(root, 'docs/asyncapi.json')] =
  process.argv.slice(2)

/** Redocly's recommended rules. What everybody may ask, such as /live, refuses nobody: no 4xx is told of it. */
async function byRedocly(source) {
  const config = await createConfig({ extends: ['recommended'], rules: { 'operation-4xx-response': 'off' } })
  const problems = await lintFromString({ source, absoluteRef: openapi, config })
  return problems.map(({ ruleId, message, location }) => `${ruleId} at ${location[0]?.pointer}: ${message}`)
}

async function bySpectral(source) {
  const spectral = new spectralCore.Spectral()
  spectral.setRuleset({ extends: [[spectralRulesets.oas, 'recommended']] })
  const problems = await spectral.run(JSON.parse(source))
  return problems.map(({ code, message, path }) => `${code} at ${path.join('.')}: ${message}`)
}

async function byAsyncApi(source) {
  const { diagnostics } = await new Parser().parse(source)
  // Tools read 3.0 as well as its newest version.
  const problems = diagnostics.filter(({ code }) => code !== 'asyncapi-latest-version')
  return problems.map(({ code, message, path }) => `${code} at ${path.join('.')}: ${message}`)
}

let count = 0
for (const [what, path, lint] of [
  ['Redocly', openapi, byRedocly],
  ['Spectral', openapi, bySpectral],
  ['AsyncAPI', asyncapi, byAsyncApi],
]) {
  const problems = await lint(readFileSync(path, 'utf8'))
  count += problems.length
  console.log(problems.length === 0 ? `${what}: no warning` : `${what}: ${problems.length}`)
  for (const problem of problems) console.log(`  ${problem}`)
}
process.exitCode = count === 0 ? 0 : 1
