import { useState } from 'preact/hooks'
import type { PresenceStatus } from '../../client/src/wire.js'
import { Icon } from './icon.js'

export interface AvatarProps {
  /** Of the person or the chat; picks the colour. */
  id: string
  name: string
  url?: string | null
  /** Shown as a dot; left out where it is not known. */
  presence?: PresenceStatus | undefined
  size?: 's' | 'm' | 'l'
  isGroup?: boolean
}

const HUES = 8

/** A picture, or initials on a colour that stays the same. Its words stand beside it: it is hidden from screen readers. */
export function Avatar({ id, name, url = null, presence, size = 'm', isGroup = false }: AvatarProps) {
  const [broken, setBroken] = useState<string | null>(null)
  const hasPicture = url !== null && url !== broken
  return (
    <span class={`avatar avatar-${size} hue-${hueOf(id)}`} aria-hidden="true">
      <span class="avatar-face">
        {hasPicture ? (
          <img src={url} alt="" referrerpolicy="no-referrer" loading="lazy" onError={() => setBroken(url)} />
        ) : isGroup ? (
          <Icon name="group" size={size === 's' ? 16 : 22} />
        ) : (
          initialsOf(name)
        )}
      </span>
      {presence && <span class={`dot dot-${presence}`} />}
    </span>
  )
}

function hueOf(id: string): number {
  let sum = 0
  for (const sign of id) sum = (sum * 31 + (sign.codePointAt(0) ?? 0)) % 9_973
  return sum % HUES
}

function initialsOf(name: string): string {
  const words = name.split(/\s+/).filter(Boolean)
  const picked = words.length > 1 ? [words[0], words.at(-1)] : [words[0]]
  return picked
    .map((word) => Array.from(word ?? '')[0] ?? '')
    .join('')
    .toLocaleUpperCase()
}
