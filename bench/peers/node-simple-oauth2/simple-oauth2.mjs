// simple-oauth2: the client credentials grant of RFC 6749. It connects each time: an agent that keeps
// connections, given as its option `http`, is copied member by member, and then raises when used.

import { ClientCredentials } from 'simple-oauth2'
import { run } from './modes.mjs'

function newClient() {
  return new ClientCredentials({
    client: { id: process.env.COREBANK_CLIENT_ID, secret: process.env.COREBANK_CLIENT_SECRET },
    auth: { tokenHost: process.env.COREBANK_BASE_URL, tokenPath: '/oauth2/token' },
  })
}

const plain = newClient()

await run(async () => (await plain.getToken({})).token.access_token, {
  async client() {
    const own = newClient()
    const kept = await own.getToken({})
    return () => {
      if (kept.expired(10)) throw new Error('the token at hand was not used')
      return kept.token.access_token
    }
  },
})
