import { UserBody } from '../../contract/bodies.js'
import { compile } from '../validator.js'

// What a token or a host says of somebody meets the rules of PUT /users, or is as if it were not said.
const isName = compile(UserBody.properties.name)
const isAvatarUrl = compile(UserBody.properties.avatarUrl)

/** A name as PUT /users takes it, or null. */
export const readName = (value: unknown) => (typeof value === 'string' && isName(value) ? value : null)

/** The URL of a picture as PUT /users takes it, or null. */
export const readAvatarUrl = (value: unknown) => (typeof value === 'string' && isAvatarUrl(value) ? value : null)
