import { useCallback } from 'preact/hooks'
import { ChatClientError } from '../../client/src/index.js'
import { useToast } from '../parts/toast.js'
import { useLanguage, type Words } from '../words/index.js'

/** What to say of a failure. */
export function toSentence(error: unknown, words: Words): string {
  if (!(error instanceof ChatClientError)) return words.errors.INTERNAL
  return words.errors[error.code]
}

/** Does something that may be refused, and then says why; settles to whether it was done. */
export function useRun(): (doing: () => Promise<unknown>, done?: string) => Promise<boolean> {
  const toast = useToast()
  const { words } = useLanguage()
  return useCallback(
    async (doing, done) => {
      try {
        await doing()
        if (done !== undefined) toast(done)
        return true
      } catch (error) {
        toast(toSentence(error, words), { isError: true })
        return false
      }
    },
    [toast, words],
  )
}
