// An application written against types that openapi-typescript made: node typed.js <base URL> <e-mail>
// It gives nothing that may be left out, and prints what came of it.
import createClient from "openapi-fetch";
import type { components, paths } from "./daybook.js";

const [baseUrl = "", email = ""] = process.argv.slice(2);
const password = "correct horse 1";

// Node's fetch sends Sec-Fetch-Mode, as browsers do, but no Origin
const visitor = createClient<paths>({ baseUrl, headers: { origin: baseUrl } });

const signedUp = await visitor.POST("/api/auth/sign-up/email", { body: { name: "Ada", email, password } });
const signedIn = await visitor.POST("/api/auth/sign-in/email", { body: { email, password } });
if (!signedUp.data || !signedIn.data) throw new Error(JSON.stringify([signedUp.error, signedIn.error]));

const ada = createClient<paths>({ baseUrl, headers: { authorization: `Bearer ${signedIn.data.token}` } });

const session = await ada.GET("/api/auth/get-session");
const devices = await ada.GET("/api/auth/list-sessions");
const renamed = await ada.POST("/api/auth/organization/update", { body: { data: { name: "Analytical Engines" } } });
const whole = await ada.GET("/api/auth/organization/get-full-organization");
const members = await ada.GET("/api/auth/organization/list-members", { params: { query: { limit: 1 } } });
const invited = await ada.POST("/api/auth/organization/invite-member", {
  body: { email: `bo.${email}`, role: "member" },
});
const refused = await ada.POST("/api/auth/organization/invite-member", {
  body: { email: `bo.${email}`, role: ["member"] },
});
const founded = await ada.POST("/api/auth/organization/create", { body: { name: "Second", slug: email } });
const updated = await ada.POST("/api/auth/update-user", { body: { name: "Ada King" } });
const allowed = await ada.POST("/api/auth/organization/has-permission", {
  body: { permissions: { member: ["create"] } },
});
// the journal follows what happened
let entries: components["schemas"]["OrganizationEntry"][] = [];
for (let tries = 0; entries.length === 0 && tries < 500; tries += 1) {
  const trail = await ada.GET("/api/auth/organization/activity", {});
  entries = typeof trail.data === "object" ? trail.data.entries : [];
  await new Promise((resolve) => setTimeout(resolve, 10));
}
const table = await ada.GET("/api/auth/organization/activity", {
  params: { query: { format: "csv", organizationId: whole.data?.id ?? "" } },
  parseAs: "text",
});
const made = await ada.POST("/api/auth/api-key/create", { body: { name: "ci", expiresIn: 86_400, scopes: ["read"] } });
const robot = createClient<paths>({ baseUrl, headers: { "x-api-key": made.data?.key ?? "" } });
const byKey = await robot.GET("/api/auth/organization/list");
const withoutScope = await robot.POST("/api/auth/organization/update", { body: { data: { name: "Taken" } } });
const keys = await ada.GET("/api/auth/api-key/list", { params: { query: { limit: 1, sortBy: "createdAt" } } });
const deleted = await ada.POST("/api/auth/api-key/delete", { body: { keyId: made.data?.id ?? "" } });
const dead = await robot.GET("/api/auth/get-session");
const signedOut = await ada.POST("/api/auth/sign-out");

// these have the types of the document, else tsc says so
const user: components["schemas"]["User"] = signedUp.data.user;
const remembered: boolean | undefined = session.data?.session.current;
const listed: components["schemas"]["ApiKey"] | undefined = keys.data?.apiKeys?.[0];

console.log(
  JSON.stringify({
    user: user.name,
    current: remembered,
    devices: devices.data?.length,
    renamed: renamed.data?.name,
    whole: whole.data?.members.map((member) => member.role),
    members: members.data?.total,
    invited: invited.data?.status,
    refused: refused.error?.code,
    founded: founded.data?.members.length,
    updated: updated.data?.status,
    allowed: allowed.data?.success,
    trail: entries.at(-1)?.event,
    table: String(table.data).split("\r\n")[0],
    key: listed?.start === made.data?.start && listed?.scopes,
    byKey: byKey.data?.length,
    withoutScope: withoutScope.error?.code,
    deleted: deleted.data?.success,
    dead: dead.error?.code,
    signedOut: signedOut.data?.success,
  }),
);
