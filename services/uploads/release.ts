import { MessageChannel } from 'node:worker_threads'

// What is handed over to a port that is closed belongs to nobody: that is how an ArrayBuffer is freed at once.
const { port1: nowhere, port2 } = new MessageChannel()
port2.close()
nowhere.close()

/**
 * Frees the memory of bytes that nobody reads any more, which else waits for a collection of garbage that a stream of bytes alone hardly
 * causes: some 20 MB would pile up meanwhile. What shares its memory with others is left alone.
 */
export function release(bytes: Buffer): void {
  const { buffer, byteLength } = bytes
  if (buffer instanceof ArrayBuffer && buffer.byteLength === byteLength) nowhere.postMessage(null, [buffer])
}
