/** Why all sockets of a user end, by somebody's wish. */
export const USER_ENDS = ['DISCONNECTED', 'TOKEN_REVOKED', 'USER_DELETED'] as const
