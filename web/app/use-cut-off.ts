import { useEffect, useState } from 'preact/hooks'
import { useConnection } from '../../client/src/react.js'

/** A short break is nobody's business. */
const QUIET_MS = 700

/** Whether there has been no connection for longer than a moment. */
export function useCutOff(): boolean {
  const isDown = useConnection().state !== 'online'
  const [isLate, setLate] = useState(false)
  useEffect(() => {
    if (!isDown) return setLate(false)
    const timer = setTimeout(() => setLate(true), QUIET_MS)
    return () => clearTimeout(timer)
  }, [isDown])
  return isDown && isLate
}
