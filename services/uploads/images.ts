/** How much of a file tells an image. */
export const HEAD_BYTES = 16

const ascii = (head: Buffer, start: number, text: string): boolean =>
  head.subarray(start, start + text.length).toString('latin1') === text

/** The types of images that are shown in place, each with how its bytes begin. SVG is none: it can hold scripts. */
const IMAGES: Record<string, (head: Buffer) => boolean> = {
  'image/png': (head) => ascii(head, 0, '\x89PNG\r\n\x1a\n'),
  'image/jpeg': (head) => ascii(head, 0, '\xff\xd8\xff'),
  'image/gif': (head) => ascii(head, 0, 'GIF87a') || ascii(head, 0, 'GIF89a'),
  'image/webp': (head) => ascii(head, 0, 'RIFF') && ascii(head, 8, 'WEBP'),
  'image/avif': (head) => ascii(head, 4, 'ftyp') && (ascii(head, 8, 'avif') || ascii(head, 8, 'avis')),
}

/** Whether a file of this type is shown in place; everything else is a download. */
export const isInline = (mimeType: string): boolean => Object.hasOwn(IMAGES, mimeType)

/** Whether a file begins as its type says; types that are not shown in place are not looked at. */
export const isOfType = (mimeType: string, head: Buffer): boolean => IMAGES[mimeType]?.(head) ?? true
