/** What is known of a file before its bytes are: the claims that the bytes have to keep. */
export interface FileClaims {
  id: string
  name: string
  mimeType: string
  size: number
}

/** Where the bytes of a file are read: a file of this machine, or a URL for a short while. */
export type FilePlace = { kind: 'file'; root: string; path: string } | { kind: 'url'; url: string }

/** Whoever holds this may PUT the bytes, once. */
export interface PutTarget {
  url: string
  headers: Record<string, string>
}

/** One URL that is asked for: `PUT` of a file, once; `GET` of it, with what the answer says it is; `DELETE`. */
export interface PresignRequest {
  method: 'PUT' | 'GET' | 'DELETE'
  id: string
  mimeType: string
  size: number
  /** Of a GET: what the answer's Content-Disposition is to be. */
  disposition?: string
  /** How long the URL may be used. */
  expiresInMs: number
}

/** Answers a URL for a request, and the headers that have to go with it. */
export type Presign = (request: PresignRequest) => Promise<PutTarget> | PutTarget

/**
 * Keeps the bytes of files; the rows of `uploads` say whose they are. Laws:
 * 1. What is found is whole: of the size that was claimed, and for the image types that are shown inline of that type. What was cut, is longer or
 *    shorter, or is another kind of image is never found, and leaves nothing behind.
 * 2. Bytes are put once: a second PUT changes nothing.
 * 3. No bytes pass through memory whole.
 * 4. Removing is done when it answers, and what is not there is removed already.
 * 5. Names of files never become names in the store: those are ids.
 */
export interface UploadStore {
  /** Where the bytes of a file are put; `token` is what the service's own route asks for. */
  target(claims: FileClaims, token: string, expiresInMs: number): Promise<PutTarget>
  /** Takes the bytes that came to the service's own route; null where they go elsewhere. Answers whether they are those that are kept now. */
  receive: ((claims: FileClaims, bytes: AsyncIterable<Buffer>) => Promise<boolean>) | null
  /** Whether all bytes of a file are there and as claimed; what is not as claimed is removed. */
  isWhole(claims: FileClaims): Promise<boolean>
  /** Where the bytes of a file are read. */
  place(claims: FileClaims, disposition: string): Promise<FilePlace>
  remove(id: string): Promise<void>
  /** Removes what a crash left behind; `unknown` answers which of some ids have no row. */
  tidy(unknown: (ids: string[]) => Promise<string[]>): Promise<void>
}
