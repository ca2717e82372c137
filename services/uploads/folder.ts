import { randomUUID } from 'node:crypto'
import { type FileHandle, link, mkdir, open, readdir, rm, stat, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { invalid } from '../../contract/errors.js'
import { storageFull } from '../db/errors.js'
import { codeOf } from '../errno.js'
import { HEAD_BYTES, isOfType } from './images.js'
import type { FileClaims, UploadStore } from './ports.js'
import { release } from './release.js'

export interface FolderOptions {
  folder: string
  /** What the disk keeps free. */
  minFreeBytes: number
  /** Where the service's own route lies. */
  urlOf(id: string): string
  /** Whether this process alone has the folder: then what is half there at the start is of a crash. */
  isAlone: boolean
}

/** A file that has not grown for so long is of an upload that ended; one that stands still is cut before. */
const STALE_MS = 300_000
const FULL = new Set(['ENOSPC', 'EDQUOT', 'EFBIG'])

/** Keeps the bytes in a folder of this machine, which its processes share: `tmp/` while they come, then under the end of their id. */
export async function openFolder({ folder, minFreeBytes, urlOf, isAlone }: FolderOptions): Promise<UploadStore> {
  const coming = join(folder, 'tmp')
  await mkdir(coming, { recursive: true, mode: 0o700 })
  const shardOf = (id: string): string => id.slice(-2)
  const pathOf = (id: string): string => join(folder, shardOf(id), id)

  async function mustHaveRoom(size: number): Promise<void> {
    const { bavail, bsize } = await statfs(folder)
    if (bavail * bsize < minFreeBytes + size) throw storageFull(undefined)
  }

  /** Gives the bytes their name, unless it is taken; both survive a power loss. */
  async function keep(temporary: string, id: string): Promise<boolean> {
    const shard = join(folder, shardOf(id))
    if ((await mkdir(shard, { recursive: true, mode: 0o700 })) !== undefined) await sync(folder)
    try {
      await link(temporary, pathOf(id))
    } catch (error) {
      if (codeOf(error) === 'EEXIST') return false
      throw error
    }
    await sync(shard)
    return true
  }

  async function receive(claims: FileClaims, bytes: AsyncIterable<Buffer>): Promise<boolean> {
    const temporary = join(coming, `${claims.id}.${randomUUID()}`)
    try {
      await mustHaveRoom(claims.size)
      const file = await open(temporary, 'wx', 0o600)
      try {
        await write(file, claims, bytes)
      } finally {
        await file.close()
      }
      return await keep(temporary, claims.id)
    } catch (error) {
      throw FULL.has(codeOf(error) ?? '') ? storageFull(error) : error
    } finally {
      await rm(temporary, { force: true })
    }
  }

  /** The names in a folder; none where it is not. */
  const list = (path: string): Promise<string[]> => readdir(path).catch(() => [])

  async function tidyComing(staleMs: number): Promise<void> {
    for (const name of await list(coming)) {
      const path = join(coming, name)
      const found = await stat(path).catch(() => undefined)
      if (found && Date.now() - found.mtimeMs >= staleMs) await rm(path, { force: true })
    }
  }

  // All of it, whatever the clock says.
  if (isAlone) await tidyComing(Number.NEGATIVE_INFINITY)
  return {
    target: async ({ id, mimeType }, token) => ({
      url: urlOf(id),
      headers: { 'content-type': mimeType, 'x-upload-token': token },
    }),
    receive,
    isWhole: async ({ id, size }) => (await stat(pathOf(id)).catch(() => undefined))?.size === size,
    place: async ({ id }) => ({ kind: 'file', root: folder, path: `${shardOf(id)}/${id}` }),
    remove: (id) => rm(pathOf(id), { force: true }),

    async tidy(unknown) {
      await tidyComing(STALE_MS)
      for (const shard of await list(folder)) {
        if (shard === 'tmp') continue
        for (const id of await unknown(await list(join(folder, shard)))) await rm(pathOf(id), { force: true })
      }
    },
  }
}

/** Writes the bytes as they come, while they are what was claimed; all of them are on the disk when this answers. */
async function write(file: FileHandle, { size, mimeType }: FileClaims, bytes: AsyncIterable<Buffer>): Promise<void> {
  let written = 0
  let head: Buffer | undefined = Buffer.alloc(0)
  for await (const chunk of bytes) {
    written += chunk.length
    if (written > size) break
    if (head) {
      head = Buffer.concat([head, chunk.subarray(0, HEAD_BYTES)])
      if (head.length >= Math.min(size, HEAD_BYTES)) {
        if (!isOfType(mimeType, head)) throw otherType()
        head = undefined
      }
    }
    await file.appendFile(chunk)
    release(chunk)
  }
  if (written !== size) throw invalid({ path: '', message: `must have ${size} bytes, as create_upload was told` })
  await file.sync()
}

const otherType = () => invalid({ path: '', message: 'must begin as a file of its type does' })

/** Puts the names in a folder on the disk. */
async function sync(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  await handle.sync().finally(() => handle.close())
}
