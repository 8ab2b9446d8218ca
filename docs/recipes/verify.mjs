// Verifies the token of a redemption or an exchange offline, and takes each once. Uses the npm package jose.
import { createRemoteJWKSet, jwtVerify } from 'jose'

const TYPES = ['countersign-redeemed+jwt', 'countersign-exchange+jwt']

/** issuer: as in the gateway's configuration. audience: this service. keys: the address of /jwks.json. */
export function createVerifier({ issuer, audience, keys }) {
  const jwks = createRemoteJWKSet(new URL(keys), { cooldownDuration: 60_000 })
  const seen = new Map() // jti -> when it may be forgotten
  return async function verify(token, { action, resource }) {
    const { payload, protectedHeader } = await jwtVerify(token, jwks, {
      issuer, audience, algorithms: ['ES256', 'RS256'], requiredClaims: ['exp', 'iat', 'jti', 'fence', 'grant'],
    })
    if (!TYPES.includes(protectedHeader.typ)) throw new Error('a grant token confers nothing: redeem it')
    const [detail, ...more] = payload.authorization_details ?? []
    if (more.length || detail?.type !== 'urn:countersign:action' || detail.actions.length !== 1 || detail.actions[0] !== action ||
        detail.identifier !== resource) throw new Error('the token is for another action')
    const now = Date.now() / 1000
    for (const [jti, until] of seen) if (until <= now) seen.delete(jti)
    if (seen.has(payload.jti)) throw new Error('the token was used before')
    seen.set(payload.jti, payload.exp)
    return { grant: payload.grant, fence: payload.fence, subject: payload.sub, agent: payload.act?.sub }
  }
}
