import { create } from 'content-disposition'
import { isInline } from './images.js'
import type { FileClaims } from './ports.js'

/** What the Content-Disposition of a file says: shown in place for the images that hold no scripts, a download for all else. */
export const dispositionOf = ({ name, mimeType }: Pick<FileClaims, 'name' | 'mimeType'>): string =>
  create(name, { type: isInline(mimeType) ? 'inline' : 'attachment' })
