import { h, render } from 'preact'
import { type ChatClient, createChatClient } from '../../client/src/index.js'
import { languageOf, pickLanguage } from '../words/index.js'
import { ChatRoom } from './chat-room.js'
import { adoptStyles } from './styles.js'

const { currentScript } = document
/** Where this script is from: there the service is, where nothing else is said. */
const HOME = currentScript instanceof HTMLScriptElement ? new URL('.', currentScript.src).href : location.origin

const isOut = (client: ChatClient): boolean => ['refused', 'needs-token'].includes(client.connection.get().state)

/** `<chat-room url token chat-id lang theme>`: one chat. */
class ChatRoomElement extends HTMLElement {
  static readonly observedAttributes = ['url', 'token', 'chat-id', 'lang']

  /** Asked for a token at each connection and before one ends, instead of the attribute. */
  getToken: (() => string | Promise<string>) | null = null

  #client: ChatClient | null = null
  #unsubscribe = (): void => {}

  connectedCallback(): void {
    if (!this.shadowRoot) adoptStyles(this.attachShadow({ mode: 'open' }))
    this.#start()
  }

  disconnectedCallback(): void {
    this.#stop()
    if (this.shadowRoot) render(null, this.shadowRoot)
  }

  attributeChangedCallback(name: string): void {
    const client = this.#client
    if (!client) return
    if (name === 'url') {
      this.#stop()
      this.#start()
    } else if (name === 'token') {
      // One that is let in asks for the next token when this one ends.
      if (isOut(client)) client.connect()
    } else this.#render()
  }

  get #url(): string {
    return new URL(this.getAttribute('url') ?? HOME, document.baseURI).href
  }

  #start(): void {
    const client = createChatClient({
      url: this.#url,
      getToken: () => this.getToken?.() ?? this.getAttribute('token') ?? Promise.reject(new Error('no token')),
    })
    this.#client = client
    this.#unsubscribe = client.connection.subscribe(() => {
      if (isOut(client)) this.dispatchEvent(new Event('needs-token'))
    })
    this.#render()
  }

  #stop(): void {
    this.#unsubscribe()
    void this.#client?.close()
    this.#client = null
  }

  #render(): void {
    const client = this.#client
    if (!client || !this.shadowRoot) return
    const language = languageOf(pickLanguage(this.lang ? [this.lang] : navigator.languages))
    const chatId = this.getAttribute('chat-id') ?? ''
    render(h(ChatRoom, { key: client, client, home: this.#url, chatId, language }), this.shadowRoot)
  }
}

if (!customElements.get('chat-room')) customElements.define('chat-room', ChatRoomElement)
