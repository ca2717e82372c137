import { Refusal } from './refusal.js'

const NO_ADDRESS = 'set HOST to an address of this machine, such as 127.0.0.1, or to 0.0.0.0 for all of them'

/** Why the process may not listen where HOST and PORT say; an error of another kind as it is. */
export function listenRefusal(error: unknown, host: string, port: number): unknown {
  const sentences: Record<string, string> = {
    EADDRINUSE: `Port ${port} of ${host} is in use by another process: stop that, or set PORT to another (0 takes a free one).`,
    EACCES: `This user may not listen on port ${port}: set PORT to 1024 or more, or give the process the right to (CAP_NET_BIND_SERVICE).`,
    EADDRNOTAVAIL: `HOST ${host} is no address of this machine: ${NO_ADDRESS}.`,
    ENOTFOUND: `HOST ${host} is a name that nobody knows: ${NO_ADDRESS}.`,
    EAI_AGAIN: `HOST ${host} is a name that cannot be looked up now: ${NO_ADDRESS}.`,
    EAFNOSUPPORT: `HOST ${host} is of a kind that this machine does not have: ${NO_ADDRESS}.`,
    EINVAL: `HOST ${host} cannot be listened on: ${NO_ADDRESS}.`,
  }
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  const sentence = sentences[code]
  return sentence === undefined ? error : new Refusal(sentence, { code, cause: error })
}
