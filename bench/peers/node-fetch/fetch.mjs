// Node's own fetch, which is undici.

import { run } from './modes.mjs'

const url = process.env.COREBANK_BASE_URL + '/api/auth/v1/authenticate'

const page = process.env.COREBANK_BASE_URL + process.env.BENCH_GET
let token

async function get() {
  token ??= await exchange()
  const answer = await fetch(page, { headers: { Authorization: 'Bearer ' + token } })
  if (answer.status !== 200) throw new Error('status ' + answer.status)
  return await answer.text()
}

async function exchange() {
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
}

await run(exchange, { get })
