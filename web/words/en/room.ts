/** What the room says. */
export const room = {}
