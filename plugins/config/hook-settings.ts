import { Type } from '@sinclair/typebox'
import { Count, Flag, List, Text } from './kinds.js'

/** The settings of what we ask and tell other services. */
export const HOOK_SETTINGS = {
  BEFORE_SEND_URL: Text('Asked by a signed POST before a message of a user is stored or changed', {
    pattern: '^https?://[^/?#@\\s]+([/?]\\S*)?$',
    form: 'a URL as https://api.example.com/chat/before-send, without user and password',
  }),
  BEFORE_SEND_SECRET: List('Signs what BEFORE_SEND_URL is asked; of several with commas between, each', {
    pattern: 'whsec_[A-Za-z0-9+/]{32,}={0,2}',
    form: 'as whsec_ and the base64 of at least 24 random bytes, or several with commas between',
  }),
  BEFORE_SEND_TIMEOUT_MS: Count(300, 'How long BEFORE_SEND_URL may take', 10, 10_000),
  BEFORE_SEND_FAIL: Type.Unsafe<'open' | 'closed'>({
    type: 'string',
    enum: ['open', 'closed'],
    default: 'open',
    description:
      'Without an answer of BEFORE_SEND_URL, a message is stored (`open`), or refused as UNAVAILABLE (`closed`)',
  }),
  WEBHOOK_URL: Text('Told by signed POSTs of all that happens, as the hook `settings`', {
    pattern: '^https?://[^/?#@\\s]+([/?][^#\\s]*)?$',
    form: 'a URL as https://api.example.com/chat/changes, without user and password',
  }),
  WEBHOOK_SECRET: List('Signs what WEBHOOK_URL is told; of two with a comma between, while one is rotated, each', {
    pattern: 'whsec_[A-Za-z0-9+/]{32,}={0,2}',
    form: 'as whsec_ and the base64 of at least 24 random bytes, or two with a comma between',
  }),
  WEBHOOK_PRIVATE: Flag(false, 'Whether production may tell hooks at plain http and at addresses of its own network'),
}
