// Two OpenID providers for tests, each on a port of its own. The first line of output is a JSON list of their issuers.
// Everybody may sign in with any password; the name before the dash is the group: `editor-ada` is in the group `editor`.
import { createServer } from "node:http";
import { Provider } from "oidc-provider";

const OTHER_CLIENT = "other";
const { CLIENT_ID, CLIENT_SECRET, REDIRECT_URI } = process.env;

async function startProvider() {
  const server = createServer();
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, {
    clients: [CLIENT_ID, OTHER_CLIENT].map((client_id) => ({
      client_id,
      client_secret: CLIENT_SECRET,
      redirect_uris: [REDIRECT_URI],
    })),
    claims: { openid: ["sub"], profile: ["groups"], email: ["email"] },
    // Other providers put the claims of the scopes into the ID token as well.
    conformIdTokenClaims: false,
    cookies: { keys: ["a key of a test"] },
    pkce: { required: () => true },
    findAccount: (_, id) => ({
      accountId: id,
      claims: () => ({ sub: id, email: `${id}@example.org`, groups: [id.split("-")[0]] }),
    }),
  });
  server.on("request", provider.callback());
  return issuer;
}

console.log(JSON.stringify([await startProvider(), await startProvider()]));
