// Node's own fetch, which is undici.

import { run } from './modes.mjs'

const url = process.env.COREBANK_BASE_URL + '/api/auth/v1/authenticate'

await run(async () => {
  const answer = await fetch(url, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({
      clientId: process.env.COREBANK_CLIENT_ID,
      clientSecret: process.env.COREBANK_CLIENT_SECRET,
    }),
  })
  if (answer.status !== 200) throw new Error('status ' + answer.status)
  return (await answer.json()).accessToken
})
