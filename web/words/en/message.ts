/** What a message and the composer say. */
export const message = {}
