import type { RefObject } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'

/** Takes files that are dropped anywhere in the room; answers whether some hover over it. */
export function useDrop(ref: RefObject<Element | null>, onFiles: (files: File[]) => void): boolean {
  const [isOver, setOver] = useState(false)
  const take = useRef(onFiles)
  take.current = onFiles
  useEffect(() => {
    const room = ref.current?.closest<HTMLElement>('.room')
    if (!room) return
    // Each child that is entered is told before the one that is left.
    let depth = 0
    const hasFiles = (event: DragEvent): boolean => event.dataTransfer?.types.includes('Files') ?? false
    const move = (event: DragEvent): void => {
      if (!hasFiles(event)) return
      event.preventDefault()
      if (event.type === 'dragenter') depth += 1
      if (event.type === 'dragleave') depth -= 1
      if (event.type === 'drop') {
        depth = 0
        take.current([...(event.dataTransfer?.files ?? [])])
      }
      setOver(depth > 0)
    }
    const types = ['dragenter', 'dragover', 'dragleave', 'drop'] as const
    for (const type of types) room.addEventListener(type, move)
    return () => {
      for (const type of types) room.removeEventListener(type, move)
    }
  }, [ref])
  return isOver
}
