// Takes steps with the official client in a browser-like surrounding, a line each, and prints what each of them gave:
//   node client.mjs <base URL> '{"page": <origin of the page>, "bearer": false}'
// Steps: {"call": "signIn.email", "arguments": {...}}, {"fetch": "/path", "options": {...}}, {"known": "errors"},
// {"store": "useSession", "filled": true}, {"refetch": "useSession"}, {"browser": "close"}, {"browser": "another"}.
// A Date in the output is {"Date": milliseconds}, so that it cannot be mistaken for a string that was not revived.

import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { apiKeyClient } from "@better-auth/api-key/client";
import { createAuthClient } from "better-auth/client";
import { organizationClient } from "better-auth/client/plugins";

const PLUGINS = [organizationClient(), apiKeyClient()];
const PATIENCE = 5000; // milliseconds a store may take to come to rest
const ASKED_FOR = ["authorization", "content-type"]; // what the client sends that takes a preflight
// what a page on another origin may read without being allowed to (Fetch, "CORS-safelisted response-header name")
const READABLE = ["cache-control", "content-language", "content-length", "content-type", "expires", "pragma"];

class Browser {
  #cookies = new Map();
  #page;
  exchanges = [];

  constructor(page) {
    this.#page = page;
  }

  // Closing it forgets the cookies that have no lifetime of their own.
  close() {
    for (const [name, { lasting }] of this.#cookies) if (!lasting) this.#cookies.delete(name);
  }

  // Handed to the client in place of the global fetch.
  fetch = async (url, init = {}) => {
    const target = new URL(url);
    const method = init.method ?? "GET";
    const foreign = target.origin !== this.#page;
    const headers = new Headers(init.headers);
    const unusual = ASKED_FOR.filter((name) => headers.has(name));
    if (foreign && unusual.length > 0) await this.#preflight(target, method, unusual);

    const credentials = init.credentials === "include" || (!foreign && init.credentials !== "omit");
    if (foreign || method !== "GET") headers.set("origin", this.#page);
    headers.set("sec-fetch-site", foreign ? "same-site" : "same-origin");
    headers.set("sec-fetch-mode", "cors");
    headers.set("sec-fetch-dest", "empty");
    if (credentials && this.#cookies.size > 0) headers.set("cookie", this.#cookieHeader());

    const response = await fetch(target, { ...init, headers });
    if (credentials) response.headers.getSetCookie().forEach((line) => this.#keep(line));
    const text = await response.clone().text();
    this.exchanges.push({
      method,
      path: target.pathname,
      sent: Object.fromEntries(headers),
      status: response.status,
      set_cookie: response.headers.getSetCookie(),
      text,
    });
    return foreign ? this.#readable(response, text, credentials) : response;
  };

  async #preflight(target, method, unusual) {
    const answer = await fetch(target, {
      method: "OPTIONS",
      headers: {
        origin: this.#page,
        "access-control-request-method": method,
        "access-control-request-headers": unusual.join(","),
      },
    });
    this.#mayRead(answer, true);
    const methods = ["get", "post", ...listed(answer, "access-control-allow-methods")];
    const names = listed(answer, "access-control-allow-headers");
    const asked = methods.includes(method.toLowerCase()) && unusual.every((name) => names.includes(name));
    if (!answer.ok || !asked) throw new TypeError("Failed to fetch");
  }

  #readable(response, text, credentials) {
    this.#mayRead(response, credentials);
    const names = [...READABLE, ...listed(response, "access-control-expose-headers")];
    const headers = [...response.headers].filter(([name]) => names.includes(name));
    return new Response(text || null, { status: response.status, statusText: response.statusText, headers });
  }

  #mayRead({ headers }, credentials) {
    const origin = headers.get("access-control-allow-origin") === this.#page;
    const allowed = origin && (!credentials || headers.get("access-control-allow-credentials") === "true");
    if (!allowed) throw new TypeError("Failed to fetch");
  }

  #cookieHeader() {
    return Array.from(this.#cookies, ([name, { value }]) => `${name}=${value}`).join("; ");
  }

  #keep(line) {
    const [pair, ...attributes] = line.split(/;\s*/);
    const split = pair.indexOf("=");
    const name = pair.slice(0, split);
    const age = attributes.find((attribute) => attribute.toLowerCase().startsWith("max-age="))?.slice(8);
    if (age !== undefined && Number(age) <= 0) this.#cookies.delete(name);
    else this.#cookies.set(name, { value: pair.slice(split + 1), lasting: age !== undefined });
  }
}

class Player {
  #browser;
  #client;
  #stores = new Map();
  #token;

  constructor(baseURL, { page, bearer }) {
    this.#browser = new Browser(page);
    this.#client = createAuthClient({
      baseURL,
      plugins: PLUGINS,
      fetchOptions: { customFetchImpl: this.#browser.fetch, ...(bearer ? this.#withoutCookies() : {}) },
    });
  }

  async play(step) {
    const outcome = await this.#take(step).catch((error) => ({ thrown: `${error.name}: ${error.message}` }));
    return { ...outcome, exchanges: this.#browser.exchanges.splice(0) };
  }

  // As the client's manual has it for the bearer plugin.
  #withoutCookies() {
    return {
      credentials: "omit",
      auth: { type: "Bearer", token: () => this.#token },
      onSuccess: ({ response }) => {
        this.#token = response.headers.get("set-auth-token") ?? this.#token;
      },
    };
  }

  async #take(step) {
    if (step.browser === "close") return this.#browser.close() ?? {};
    if (step.store) return this.#atRest(step.store, step.filled);
    if (step.refetch) return (await this.#client[step.refetch].get().refetch()) ?? {};
    if (step.known === "errors") return { data: Object.assign({}, ...PLUGINS.map((plugin) => plugin.$ERROR_CODES)) };
    if (step.fetch) return await this.#client.$fetch(step.fetch, step.options);
    const method = step.call.split(".").reduce((part, name) => part[name], this.#client);
    const given = await method(step.arguments);
    return typeof given === "boolean" ? { data: given } : given;
  }

  // What a mounted store shows once it asks for nothing more and, if `filled` says so, has data or has none any more.
  async #atRest(name, filled) {
    if (!this.#stores.has(name)) {
      const store = this.#client[name];
      store.subscribe(() => {});
      this.#stores.set(name, store);
    }
    const store = this.#stores.get(name);
    const awaited = ({ data }) => filled === undefined || (data !== null) === filled;
    const resting = (value) => !value.isPending && !value.isRefetching && awaited(value);
    for (let waited = 0; !resting(store.get()) && waited < PATIENCE; waited += 10) await sleep(10);
    const { data, error, isPending } = store.get();
    return { data, error, pending: isPending };
  }
}

function datesAsMilliseconds(key, value) {
  return this[key] instanceof Date ? { Date: this[key].getTime() } : value;
}

function listed({ headers }, name) {
  return (headers.get(name) ?? "").toLowerCase().split(/\s*,\s*/);
}

const [baseURL, surrounding] = process.argv.slice(2);
globalThis.window = new EventTarget(); // the client's stores fetch nothing where there is no window
let player = new Player(baseURL, JSON.parse(surrounding));
for await (const line of createInterface({ input: process.stdin })) {
  const step = JSON.parse(line);
  if (step.browser === "another") player = new Player(baseURL, JSON.parse(surrounding));
  const outcome = step.browser === "another" ? {} : await player.play(step);
  console.log(JSON.stringify(outcome, datesAsMilliseconds));
}
process.exit(); // also while a store is still mounted
