import { Id } from '../../../contract/fields.js'
import type { RouteWho } from '../../../contract/who.js'
import type { Json } from './schemas.js'

/** How a caller says who it is. */
export const SECURITY_SCHEMES = {
  userToken: {
    type: 'http',
    scheme: 'bearer',
    bearerFormat: 'JWT',
    description: 'A token of a user, as the main API signs it; the claim JWT_USER_CLAIM (`sub`) names the user.',
  },
  serviceToken: {
    type: 'http',
    scheme: 'bearer',
    bearerFormat: 'JWT',
    description: 'A token of a service: the words of its claim `scope` have `service` among them.',
  },
  apiKey: {
    type: 'apiKey',
    in: 'header',
    name: 'X-Api-Key',
    description: 'A key of a service, one of SERVICE_API_KEYS.',
  },
  uploadToken: {
    type: 'apiKey',
    in: 'header',
    name: 'X-Upload-Token',
    description: 'The token of one upload, as `create_upload` answers it.',
  },
} satisfies Json

/** The header by which a service acts for a user. */
export const ON_BEHALF_OF: Json = {
  name: 'X-On-Behalf-Of',
  in: 'header',
  required: false,
  description: 'Only with the credentials of a service: the id of the user for whom it calls, who has to be there.',
  schema: { type: 'string', minLength: Id.minLength, maxLength: Id.maxLength },
  example: 'alice',
}

const SERVICE = [{ serviceToken: [] }, { apiKey: [] }]
const EVERY_CALLER = [{ userToken: [] }, ...SERVICE]

/** Who may call a command's twin: users, and services for them or by themselves. */
export const securityOfCommand = (): Json[] => EVERY_CALLER

/** Who may call a route of the other table. */
export function securityOfResource(who: RouteWho): Json[] {
  const schemes: Record<RouteWho, Json[]> = {
    everybody: [],
    local: [],
    caller: EVERY_CALLER,
    viewer: EVERY_CALLER,
    service: SERVICE,
    holder: [{ uploadToken: [] }],
  }
  return schemes[who]
}
