// Does the folder named open without a server? Its pages as files, in headless Chromium: what they
// refer to is there, the fonts load, diagrams are drawn, the search finds, the theme stays.

import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";

const folder = resolve(process.argv[2]);
const file = (name) => pathToFileURL(join(folder, name)).href;
const pages = (await readdir(folder)).filter((name) => name.endsWith(".html") && name !== "toc.html" && name !== "404.html");
assert(pages.length > 20, `${folder} has ${pages.length} pages`);

const failures = [];
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"] });
const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
const fail = (what) => failures.push(`${new URL(page.url()).pathname.split("/").pop()}: ${what}`);
page.on("console", (message) => ["error", "warning"].includes(message.type()) && fail(`console: ${message.text()}`));
page.on("pageerror", (error) => fail(`script: ${error.message}`));
page.on("requestfailed", (request) => request.failure().errorText === "net::ERR_ABORTED" || fail(`request failed: ${request.url()}`));
page.on("request", (request) => /^(file|data):/.test(request.url()) || fail(`not a file of the folder: ${request.url()}`));
await page.addInitScript(() => { window.print = () => {}; });

// A link that leads to a file must lead to one that is there: no server turns `x` into `x.html`.
const there = new Set((await readdir(folder, { recursive: true })).map(file));
const drawn = { figures: 0, steps: 0 };
for (const name of pages) {
    await page.goto(file(name), { waitUntil: "load" });
    await page.evaluate(() => document.fonts.ready);
    const fonts = await page.evaluate(() => [...document.fonts].filter((font) => font.status === "error").map((font) => `${font.family} ${font.weight}`));
    fonts.forEach((font) => fail(`the font ${font} does not load`));
    const links = await page.evaluate(() => [...document.querySelectorAll("main a[href]:not(svg a), nav a[href], main img[src]")].map((one) => (one.href || one.src).split(/[?#]/)[0]));
    links.filter((link) => link.startsWith("file:") && !there.has(link)).forEach((link) => fail(`leads to no file: ${link}`));
    drawn.figures += await page.locator("main svg").count();
    drawn.steps += await page.locator(".stepper").count();
}
assert(drawn.figures > 20 && drawn.steps > 5, `too few diagrams: ${JSON.stringify(drawn)}`);

await page.goto(file("04-mount.html"));
await page.keyboard.press("s");
await page.keyboard.type("pivot_root");
const results = page.locator("#mdbook-searchresults a");
await results.first().waitFor({ timeout: 10000 }).catch(() => fail("the search finds no pivot_root"));
if (await results.count()) {
    await results.first().click();
    assert(there.has(page.url().split(/[?#]/)[0]), page.url());
}

await page.locator("#mdbook-theme-toggle").click();
await page.locator("[id$=theme-coal]").click();
await page.goto(file("05-user-idmap.html"));
assert(await page.evaluate(() => document.documentElement.classList.contains("coal")), "the theme stays on the next page");
await page.goto(file("run-here.html"));
assert(await page.locator("#machine-missing").isVisible(), "the page says that there is no machine");

await browser.close();
if (failures.length) {
    console.error([...new Set(failures)].join("\n"));
    process.exit(1);
}
console.log(`${pages.length} pages open as files, with ${drawn.figures} drawings and ${drawn.steps} diagrams in steps`);
