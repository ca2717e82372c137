/** What forbids a start or a script: a sentence a line for its operator, with what to do and without secrets. */
export class Refusal extends Error {
  override name = 'Refusal'
  /** What a program that mounts the service can tell it by. */
  readonly code: string

  constructor(message: string, { code = 'REFUSED', cause }: { code?: string; cause?: unknown } = {}) {
    super(message, { cause })
    this.code = code
  }
}

/** An error and what caused it, outermost first. */
export function* causes(error: unknown): Iterable<NodeJS.ErrnoException> {
  for (let e = error; e instanceof Error; e = e.cause) yield e
}
