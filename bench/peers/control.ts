import { createServer } from 'node:net'

/** Takes lines `size rooms burst` from the load generator: that many messages to each of the rooms, in one turn of the loop. */
export function listenForBursts(onBurst: (size: number, rooms: number, burst: number) => void): void {
  createServer((socket) => {
    socket.setNoDelay(true)
    socket.on('data', (data) => {
      for (const line of data.toString().split('\n').slice(0, -1)) {
        const [size = 0, rooms = 0, burst = 0] = line.split(' ').map(Number)
        onBurst(size, rooms, burst)
      }
    })
    socket.on('error', () => socket.destroy())
  }).listen(Number(process.env.CONTROL_PORT), '127.0.0.1')
}
