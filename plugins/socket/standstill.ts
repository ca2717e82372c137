const LOOK_MS = 250

/**
 * Notices that this process stood still, as one that was paused does, for so long that its clients may have gone elsewhere. Law: what they had sent before
 * is not done any more: they have tried again by now, on another node, and gone on from there.
 */
export function watchStandstill(mostMs: number, onStood: (ms: number) => void, now = () => performance.now()) {
  let lookedMs = now()

  function look(): boolean {
    const nowMs = now()
    const stoodMs = nowMs - lookedMs - LOOK_MS
    lookedMs = nowMs
    if (stoodMs <= mostMs) return false
    onStood(stoodMs)
    return true
  }
  const timer = setInterval(look, LOOK_MS).unref()

  return {
    /** Whether it has just stood still. What sockets have brought meanwhile comes before any timer. */
    hasStood: (): boolean => now() - lookedMs > mostMs + LOOK_MS && look(),
    stop: (): void => clearInterval(timer),
  }
}
