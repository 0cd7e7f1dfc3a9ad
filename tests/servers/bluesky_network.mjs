// A Bluesky network (PLC, PDS, AppView) on loopback, by the project's own development environment.
// Environment: DB_POSTGRES_URL, REDIS_HOST, PLC_PORT, PDS_PORT, APPVIEW_PORT, READY (a file to write).
import fs from 'node:fs'
import net from 'node:net'

// its servers listen on all interfaces: keep them on this machine
const listen = net.Server.prototype.listen
net.Server.prototype.listen = function (...given) {
  if (typeof given[0] === 'number' && typeof given[1] !== 'string') given.splice(1, 0, '127.0.0.1')
  else if (given[0] && typeof given[0] === 'object' && 'port' in given[0] && !given[0].host) {
    given[0] = { ...given[0], host: '127.0.0.1' }
  }
  return listen.apply(this, given)
}
const { TestNetwork, mockMailer } = await import('@atproto/dev-env')
const port = (name) => Number(process.env[name])
const network = await TestNetwork.create({
  plc: { port: port('PLC_PORT') },
  pds: { port: port('PDS_PORT'), hostname: 'localhost', enableDidDocWithSession: true },
  bsky: {
    port: port('APPVIEW_PORT'),
    publicUrl: `http://localhost:${port('APPVIEW_PORT')}`,
    dbPostgresSchema: 'bsky',
  },
  dbPostgresSchema: 'raccroche',
})
mockMailer(network.pds)
fs.writeFileSync(process.env.READY, network.pds.url)
let stopping = false
const stop = async () => {
  if (stopping) return
  stopping = true
  setTimeout(() => process.exit(0), 5000).unref()
  await network.close()
  process.exit(0)
}
process.on('SIGTERM', stop)
process.on('SIGINT', stop)
