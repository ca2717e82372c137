import type { Chat, ErrorBody, Message, Presence, User } from 'chat-socket-service/contract'

/** A failure of the chat, with its status and its body. */
export class ChatFailure extends Error {
  constructor(
    readonly status: number,
    readonly body: ErrorBody,
  ) {
    super(body.message)
  }
}

/** The chat service as this backend knows it: a URL and a service key. */
export function createChatApi(url: string, apiKey: string) {
  async function call<T>(method: string, path: string, body?: object, onBehalfOf?: string): Promise<T> {
    const response = await fetch(`${url}${path}`, {
      method,
      headers: {
        'x-api-key': apiKey,
        ...(body && { 'content-type': 'application/json' }),
        ...(onBehalfOf && { 'x-on-behalf-of': onBehalfOf }),
      },
      ...(body && { body: JSON.stringify(body) }),
    })
    const answer = (await response.json()) as T & { error: ErrorBody }
    if (!response.ok) throw new ChatFailure(response.status, answer.error)
    return answer
  }
  const id = encodeURIComponent

  return {
    putUser: (userId: string, name: string) => call<User>('PUT', `/users/${id(userId)}`, { name }),
    /** The same chatId finds the same chat: a retry makes no second one. */
    putGroup: (chatId: string, title: string, memberIds: string[]) =>
      call<{ chat: Chat; created: boolean }>('POST', '/chats', { chatId, type: 'group', title, memberIds }),
    /** The same key stores once, however often it is tried. */
    send: (userId: string, chatId: string, content: string, clientMessageId: string) =>
      call<{ message: Message }>('POST', `/chats/${id(chatId)}/messages`, { content, clientMessageId }, userId),
    presenceOf: (userIds: string[]) => call<{ statuses: Presence[] }>('POST', '/users/status/bulk', { userIds }),
  }
}
