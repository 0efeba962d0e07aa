// Opens a page in a real browser: node page.mjs <the browser's program> <URL of the page> <URL of the service>
// Prints what the page said on its console, and whether a reload of it finds somebody signed in by cookie.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";

const PATIENCE = 20_000; // milliseconds
const [executablePath, url, service] = process.argv.slice(2);
const quiet = ["gpu", "quic", "background-networking", "component-update", "sync"].map((name) => `--disable-${name}`);
const profile = mkdtempSync(join(tmpdir(), "daybook-page-"));
const args = ["--no-sandbox", "--no-first-run", ...quiet];
const browser = await chromium.launchPersistentContext(profile, { executablePath, headless: true, args });
try {
  const page = await browser.newPage();
  const said = [];
  page.on("console", (message) => said.push(message.text()));
  page.on("pageerror", (error) => said.push(`${error.name}: ${error.message}`));
  await page.goto(url);
  // the page's last line sets it, however it ended
  await page.waitForFunction(() => document.title === "done", undefined, { timeout: PATIENCE });
  await page.goto(url.replace(/[^/]*$/, "empty.html"));
  const email = await page.evaluate(async (from) => {
    try {
      const answer = await fetch(`${from}/api/auth/get-session`, { credentials: "include" });
      return (await answer.json())?.user.email ?? null;
    } catch (error) {
      return `${error.name}: ${error.message}`;
    }
  }, service);
  console.log(JSON.stringify({ said, email, stored: await page.evaluate(() => localStorage.getItem("token")) }));
} finally {
  await browser.close();
  rmSync(profile, { recursive: true, force: true });
}
