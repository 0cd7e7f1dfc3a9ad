// An OpenID Connect provider on loopback. Usage: node oidc.mjs PORT REDIRECT_URI MODULES
// Any name logs in with any password; its address is NAME@asso.example, verified unless NAME is "faux".
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'

const [port, redirect, modules] = process.argv.slice(2)
const require = createRequire(`${modules}/`)
const { Provider } = await import(pathToFileURL(require.resolve('oidc-provider')).href)

const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [{
    client_id: 'raccroche',
    client_secret: 'only-for-tests',
    redirect_uris: [redirect],
    grant_types: ['authorization_code'],
    response_types: ['code'],
    token_endpoint_auth_method: 'client_secret_post'
  }],
  claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name'] },
  conformIdTokenClaims: false,
  features: { devInteractions: { enabled: true } },
  pkce: { required: () => false },
  cookies: { keys: ['only-for-tests'] },
  findAccount: (_, id) => ({
    accountId: id,
    claims: () => ({
      sub: id, name: id, email: `${id}@asso.example`, email_verified: id !== 'faux'
    })
  })
})
provider.listen(Number(port), '127.0.0.1')
