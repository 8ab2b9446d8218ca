// A real OpenID provider for the tests: npm's oidc-provider issues JWT access tokens to a workload. Run in web/, where it is
// installed. Says its issuer as a line of JSON; a line on its input has it sign with another key from now on, and it says so.
import { createServer } from 'node:http';
import { createInterface } from 'node:readline';
import Provider from 'oidc-provider';
import { exportJWK, generateKeyPair } from 'jose';

const [audience, secret] = process.argv.slice(1);
let answer;

async function serveAs(issuer, kid) {
  const { privateKey } = await generateKeyPair('ES256', { extractable: true });
  const provider = new Provider(issuer, {
    jwks: { keys: [{ ...(await exportJWK(privateKey)), alg: 'ES256', kid, use: 'sig' }] },
    clients: [{
      client_id: 'billing', client_secret: secret, grant_types: ['client_credentials'], redirect_uris: [], response_types: [],
      id_token_signed_response_alg: 'ES256',
    }],
    scopes: ['ask'],
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => audience,
        getResourceServerInfo: (_context, resource) => ({
          scope: 'ask', audience: resource, accessTokenFormat: 'jwt', accessTokenTTL: 600, jwt: { sign: { alg: 'ES256' } },
        }),
      },
    },
  });
  answer = provider.callback();
}

const server = createServer((request, response) => answer(request, response));
server.listen(0, '127.0.0.1', async () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  let number = 1;
  await serveAs(issuer, `key-${number}`);
  console.log(JSON.stringify({ issuer }));
  createInterface({ input: process.stdin })
    .on('line', async () => {
      number += 1;
      await serveAs(issuer, `key-${number}`);
      console.log(JSON.stringify({ kid: `key-${number}` }));
    })
    .on('close', () => process.exit(0));
});
