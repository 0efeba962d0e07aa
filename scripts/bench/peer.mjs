// Better Auth on the PostgreSQL that the PG… variables name: migrates, makes its organizations, serves until it is ended.
// node peer.mjs PORT ORGANIZATIONS MEMBERS SESSIONS; one line of JSON once it serves: ids, the owners' cookies, the members' ids.

import { createServer } from "node:http";
import { betterAuth } from "better-auth";
import { getMigrations } from "better-auth/db/migration";
import { toNodeHandler } from "better-auth/node";
import { organization } from "better-auth/plugins/organization";
import pg from "pg";

const [port, organizations, members, sessions] = process.argv.slice(2).map(Number);

const auth = betterAuth({
  baseURL: `http://localhost:${port}`,
  database: new pg.Pool({ max: 10 }),
  emailAndPassword: { enabled: true },
  plugins: [organization()],
  rateLimit: { enabled: false },
});

async function signedUp(name) {
  const body = { name, email: `${name.toLowerCase()}@example.com`, password: "correct horse battery" };
  const { headers, response } = await auth.api.signUpEmail({ body, returnHeaders: true });
  const cookie = headers.getSetCookie().map((line) => line.split(";")[0]).join("; ");
  return { id: response.user.id, cookie };
}

async function founded(number, people) {
  const owner = await signedUp(`Owner${number}`);
  const headers = new Headers({ cookie: owner.cookie });
  const { id } = await auth.api.createOrganization({ body: { name: "Acme", slug: `acme-${number}` }, headers });
  const ids = [];
  for (const { id: userId } of people) {
    ids.push((await auth.api.addMember({ body: { userId, organizationId: id, role: "member" } })).id);
  }
  const body = { email: `owner${number}@example.com`, password: "correct horse battery" };
  for (let count = 1; count < sessions; count += 1) {
    await auth.api.signInEmail({ body });
  }
  return { organization_id: id, cookie: owner.cookie, members: ids };
}

async function each(count, make) {
  return Promise.all(Array.from({ length: count }, (_, number) => make(number)));
}

await (await getMigrations(auth.options)).runMigrations();
const people = await each(members, (number) => signedUp(`Member${number}`));
const made = await each(organizations, (number) => founded(number, people));
createServer(toNodeHandler(auth)).listen(port, "127.0.0.1", () => console.log(JSON.stringify(made)));
