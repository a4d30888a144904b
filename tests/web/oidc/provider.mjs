/**
 * A real OpenID Connect provider (npm oidc-provider) for tests: `node provider.mjs '{"port": ..., "clients": [...], "people": {...}}'`.
 *
 * Its own login form takes any name of `people` with any password. Their claims are in the ID token.
 */

import Provider from "oidc-provider";

const { port, clients, people } = JSON.parse(process.argv[2]);
const issuer = `http://localhost:${port}`; // another site than 127.0.0.1, where the app is
const provider = new Provider(issuer, {
  clients,
  claims: { openid: ["sub"], profile: ["name"], email: ["email", "email_verified"], roles: ["roles"] },
  scopes: ["openid", "profile", "email", "roles", "offline_access"],
  pkce: { required: () => true },
  features: { rpInitiatedLogout: { enabled: true }, devInteractions: { enabled: true } },
  cookies: { keys: ["for tests alone"] },
  findAccount: (_context, id) => (people[id] ? { accountId: id, claims: async () => ({ sub: id, ...people[id] }) } : undefined),
});
provider.listen(port, "localhost", () => console.log("listening"));
