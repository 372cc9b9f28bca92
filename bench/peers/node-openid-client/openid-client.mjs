// openid-client: the client credentials grant of RFC 6749, over Node's own fetch.

import * as openid from 'openid-client'
import { run } from './modes.mjs'

const base = process.env.COREBANK_BASE_URL

function newClient() {
  return new openid.Configuration(
    { issuer: base, token_endpoint: base + '/oauth2/token' },
    process.env.COREBANK_CLIENT_ID, process.env.COREBANK_CLIENT_SECRET)
}

const plain = newClient()

await run(async () => (await openid.clientCredentialsGrant(plain)).access_token, {
  async client() {
    const own = newClient()
    const kept = await openid.clientCredentialsGrant(own)
    return () => {
      if (own === undefined || kept.expiresIn() < 10) {
        throw new Error('the token at hand was not used')
      }
      return kept.access_token
    }
  },
})
