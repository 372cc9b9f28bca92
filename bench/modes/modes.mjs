// What a Node peer can be asked to do, and how it times itself.
//
// run(exchange, more): exchange() gets a token and throws when it cannot. `more` has what only some
// peers know: client() makes one with its token and returns the function that hands it out; get()
// makes a request with a kept token: the mode get-warm is warm with that.

import { readFileSync } from 'node:fs'

function kib(name) {
  return Number(readFileSync('/proc/self/status', 'latin1').match(name + ':\\s*(\\d+) kB')[1])
}

function began() {
  const wall = process.hrtime.bigint()
  const cpu = process.cpuUsage()
  return () => {
    const { user, system } = process.cpuUsage(cpu)
    return [Number(process.hrtime.bigint() - wall) / 1e9, (user + system) / 1e6]
  }
}

function seconds(took) {
  console.log(took.map((s) => s.toFixed(9)).join(' '))
}

async function warm({ exchange }, count) {
  await exchange()
  const took = began()
  for (let i = 0; i < count; i++) await exchange()
  seconds(took())
}

async function memory({ exchange }, count, early) {
  let peakEarly = 0
  for (let i = 1; i <= count; i++) {
    await exchange()
    if (i === early) peakEarly = kib('VmHWM')
  }
  console.log(peakEarly, kib('VmHWM'))
}

async function kept({ client }, count) {
  const call = await client()
  let all = 0
  let took = began()
  for (let i = 0; i < count; i++) all += i
  const [empty] = took()
  took = began()
  for (let i = 0; i < count; i++) all += call().length
  const [full] = took()
  if (!(all > 0)) throw new Error('no token')
  console.log((((full - empty) / count) * 1e9).toFixed(3))
}

// The time until the last of many callers at once has its token.
async function cold({ exchange }, count) {
  const took = began()
  await Promise.all(Array.from({ length: count }, () => exchange()))
  seconds(took())
}

async function clients({ client }, count, calls, parallel) {
  let took = began()
  const made = []
  let begun = 0
  await Promise.all(Array.from({ length: parallel }, async () => {
    while (begun++ < count) made.push(await client())
  }))
  const [fetched] = took()
  const size = kib('VmRSS')
  const turns = Math.max(1, Math.floor(calls / count))
  let all = 0
  took = began()
  for (let turn = 0; turn < turns; turn++) {
    for (const call of made) all += call().length
  }
  const [walked] = took()
  if (!(all > 0)) throw new Error('no token')
  console.log(size, ((fetched / count) * 1e3).toFixed(4),
    ((walked / (turns * count)) * 1e9).toFixed(2))
}

export async function run(exchange, more = {}) {
  let [mode, ...numbers] = process.argv.slice(2)
  const peer = { exchange, ...more }
  if (mode.startsWith('get-')) {
    mode = mode.slice(4)
    peer.exchange = more.get
  }
  const modes = { warm, memory, kept, cold, clients }
  if (mode === 'once') console.log(await exchange())
  else if (mode !== 'start') await modes[mode](peer, ...numbers.map(Number))
  // A kept connection would keep the process.
  process.exit(0)
}
