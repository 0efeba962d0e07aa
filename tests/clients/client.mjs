// Plays a scenario with the official client in a browser-like surrounding and prints what each call returned:
//   node client.mjs <base URL> '{"page": <origin of the page>, "steps": [...]}'
// A step is {"call": "signIn.email", "arguments": {...}}, {"store": "useSession", "filled": true} or {"browser": "close"}.
// A Date in the output is {"Date": milliseconds}, so that it cannot be mistaken for a string that was not revived.

import { setTimeout as sleep } from "node:timers/promises";
import { createAuthClient } from "better-auth/client";
import { organizationClient } from "better-auth/client/plugins";

const PATIENCE = 5000; // milliseconds a store may take to come to rest

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
    if (foreign && headers.has("content-type")) await this.#preflight(target, method);

    const credentials = !foreign || init.credentials === "include";
    if (foreign || method !== "GET") headers.set("origin", this.#page);
    headers.set("sec-fetch-site", foreign ? "same-site" : "same-origin");
    headers.set("sec-fetch-mode", "cors");
    headers.set("sec-fetch-dest", "empty");
    if (credentials && this.#cookies.size > 0) headers.set("cookie", this.#cookieHeader());

    const response = await fetch(target, { ...init, headers });
    if (credentials) response.headers.getSetCookie().forEach((line) => this.#keep(line));
    this.exchanges.push({
      method,
      path: target.pathname,
      status: response.status,
      set_cookie: response.headers.getSetCookie(),
      text: await response.clone().text(),
    });
    if (foreign) this.#mayRead(response);
    return response;
  };

  async #preflight(target, method) {
    const answer = await fetch(target, {
      method: "OPTIONS",
      headers: {
        origin: this.#page,
        "access-control-request-method": method,
        "access-control-request-headers": "content-type",
      },
    });
    this.#mayRead(answer);
    const lists = (name) => (answer.headers.get(name) ?? "").toLowerCase().split(/\s*,\s*/);
    const allowed =
      answer.ok &&
      (method === "POST" || lists("access-control-allow-methods").includes(method.toLowerCase())) &&
      lists("access-control-allow-headers").includes("content-type");
    if (!allowed) throw new TypeError("Failed to fetch");
  }

  #mayRead({ headers }) {
    const origin = headers.get("access-control-allow-origin");
    const allowed = origin === this.#page && headers.get("access-control-allow-credentials") === "true";
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

  constructor(baseURL, page) {
    this.#browser = new Browser(page);
    this.#client = createAuthClient({
      baseURL,
      plugins: [organizationClient()],
      fetchOptions: { customFetchImpl: this.#browser.fetch },
    });
  }

  async play(steps) {
    const outcomes = [];
    for (const step of steps) {
      const outcome = await this.#take(step).catch((error) => ({ thrown: `${error.name}: ${error.message}` }));
      outcomes.push({ ...outcome, exchanges: this.#browser.exchanges.splice(0) });
    }
    this.#stores.forEach(({ leave }) => leave());
    return outcomes;
  }

  async #take(step) {
    if (step.browser === "close") return this.#browser.close() ?? {};
    if (step.store) return this.#atRest(step.store, step.filled);
    const method = step.call.split(".").reduce((part, name) => part[name], this.#client);
    return await method(step.arguments);
  }

  // What a mounted store shows once it has, or no longer has, data and asks for nothing more.
  async #atRest(name, filled) {
    if (!this.#stores.has(name)) {
      const store = this.#client[name];
      this.#stores.set(name, { store, leave: store.subscribe(() => {}) });
    }
    const { store } = this.#stores.get(name);
    const resting = ({ data, isPending, isRefetching }) => !isPending && !isRefetching && (data !== null) === filled;
    for (let waited = 0; !resting(store.get()) && waited < PATIENCE; waited += 10) await sleep(10);
    const { data, error, isPending } = store.get();
    return { data, error, pending: isPending };
  }
}

function datesAsMilliseconds(key, value) {
  return this[key] instanceof Date ? { Date: this[key].getTime() } : value;
}

const [baseURL, scenario] = process.argv.slice(2);
const { page, steps } = JSON.parse(scenario);
globalThis.window = new EventTarget(); // the client's stores fetch nothing where there is no window
console.log(JSON.stringify(await new Player(baseURL, page).play(steps), datesAsMilliseconds));
