// A real OpenID provider for tests: one client, invented people, no pages. Arguments: JSON with
// `redirect_uri`, `people` (subject → claims), `life_s`. Prints one JSON line with its issuer.
//
// Whoever comes to the authorization endpoint with the header or cookie `test-person` is that
// person; POST /test/leave/<subject> ends their employment: refreshes are refused from then on.
import http from 'node:http';
import { Provider } from 'oidc-provider';

const given = JSON.parse(process.argv[2]);
setTimeout(() => process.exit(0), given.life_s * 1000).unref();
process.stdin.on('end', () => process.exit(0)).resume(); // the test that started us is gone

const left = new Set();
const counted = { token: 0, keys: 0 };
let answer;
const server = http.createServer((request, response) => answer(request, response));
server.listen(0, '127.0.0.1', () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, {
    clients: [{
      client_id: 'node', client_secret: given.secret, redirect_uris: [given.redirect_uri],
      grant_types: ['authorization_code', 'refresh_token'], response_types: ['code'],
    }],
    pkce: { required: () => true },
    claims: { openid: ['sub', 'amr'], profile: ['name', 'id_scheme', 'id_number'] },
    conformIdTokenClaims: false,
    cookies: { keys: ['only for tests'] },
    features: { devInteractions: { enabled: false } },
    rotateRefreshToken: true,
    findAccount: (_, sub) => (left.has(sub) || !given.people[sub]) ? undefined : {
      accountId: sub, claims: () => ({ sub, ...given.people[sub] }),
    },
    interactions: { url: (_, interaction) => `/test/interaction/${interaction.uid}` },
  });
  provider.on('server_error', (_, error) => console.error(error));
  const callback = provider.callback();
  answer = async (request, response) => {
    const path = request.url.split('?')[0];
    if (path === '/token') counted.token += 1;
    if (path === '/test/counted') return response.end(JSON.stringify(counted));
    if (path.startsWith('/test/leave/')) {
      left.add(path.split('/').pop());
      return response.end();
    }
    if (path.startsWith('/redirecting/')) { // a discovery document that moved
      response.writeHead(302, { location: `${issuer}/.well-known/openid-configuration` });
      return response.end();
    }
    if (path.startsWith('/elsewhere/')) { // one that names endpoints at another address
      return response.end(JSON.stringify({
        issuer: `${issuer}/elsewhere`, authorization_endpoint: `${issuer}/auth`,
        token_endpoint: 'http://127.0.0.1:9/token', jwks_uri: given.canary,
      }));
    }
    if (path.startsWith('/test/interaction/')) {
      const { params, session, prompt } = await provider.interactionDetails(request, response);
      const person = request.headers['test-person']
        ?? /test-person=([\w-]+)/.exec(request.headers.cookie ?? '')?.[1] ?? Object.keys(given.people)[0];
      if (person === 'nobody') {
        return provider.interactionFinished(request, response, { error: 'access_denied' });
      }
      if (prompt.name === 'login') {
        const login = { accountId: person, amr: given.people[person]?.amr };
        return provider.interactionFinished(request, response, { login });
      }
      const grant = new provider.Grant({ accountId: session.accountId, clientId: params.client_id });
      grant.addOIDCScope(params.scope);
      const grantId = await grant.save();
      return provider.interactionFinished(request, response, { consent: { grantId } });
    }
    return callback(request, response);
  };
  console.log(JSON.stringify({ issuer }));
});
