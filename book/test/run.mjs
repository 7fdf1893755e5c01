// Opens every page of the built book (the folder named, else book/book/html) in headless
// Chromium: light and dark, on a wide screen and on a phone. `SHOTS=folder` keeps pictures.

import { mkdir, readdir, stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import * as checks from "./checks.mjs";
import { machineScenes } from "./machine-scenes.mjs";
import * as looks from "./pages.mjs";
import { scenes as pageScenes } from "./pages.scenes.mjs";
import { scenes as readerScenes } from "./scenes.mjs";
import { serve } from "./server.mjs";
import { stepScenes } from "./step-scenes.mjs";
import { legible, steps } from "./steps.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const folder = resolve(process.argv[2] ?? join(here, "../book/html"));
const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
const args = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];
const sizes = { wide: { width: 1440, height: 900 }, phone: { width: 390, height: 844 } };
const themes = ["light", "navy"];
const scenes = { ...readerScenes, ...pageScenes, ...stepScenes, ...await machineScenes(folder) };

const failures = [];
const fail = (where, what) => failures.push(`${where}: ${what}`);

const site = await serve(folder);
const pages = (await readdir(folder)).filter((name) => name.endsWith(".html") && name !== "toc.html" && name !== "404.html");
const browser = await chromium.launch({ executablePath, args });
const targets = new Map();
const wanted = new Map();
let diagrams = 0;

// A window in which the theme is set before any page loads, and in which nothing goes wrong unseen.
async function open(theme, size, options = {}, from = site) {
    const context = await browser.newContext({ viewport: sizes[size], colorScheme: theme === "light" ? "light" : "dark", ...options });
    await context.addInitScript((name) => localStorage.setItem("mdbook-theme", name), theme);
    const page = await context.newPage();
    const where = () => `${new URL(page.url()).pathname} (${theme}, ${size})`;
    page.on("console", (message) => ["error", "warning"].includes(message.type()) && fail(where(), `console: ${message.text()}`));
    page.on("pageerror", (error) => fail(where(), `script: ${error.message}`));
    // Aborted: the page was left before its icon came.
    page.on("requestfailed", (request) => request.failure().errorText === "net::ERR_ABORTED" || fail(where(), `request failed: ${request.url()}`));
    page.on("request", (request) => new URL(request.url()).origin === from.origin || request.url().startsWith("data:") || fail(where(), `foreign request: ${request.url()}`));
    page.on("response", (response) => response.status() < 400 || fail(where(), `${response.status()}: ${response.url()}`));
    return { context, page, where };
}

await Promise.all(themes.map(async (theme) => {
    for (const size of Object.keys(sizes)) {
        const { context, page, where } = await open(theme, size);
        // The page of all pages opens the printer's window: not here.
        await context.addInitScript(() => { window.print = () => {}; });
        let surplus = 0;
        for (const name of pages) {
            await page.goto(`${site.origin}/${name}`, { waitUntil: "load" });
            await page.evaluate(() => document.fonts.ready);
            await page.evaluate(() => document.querySelectorAll("details").forEach((details) => { details.open = true; }));
            const shown = await page.evaluate(() => document.documentElement.classList.contains(localStorage.getItem("mdbook-theme")));
            if (!shown) fail(where(), `the theme is not ${theme}`);
            // The page of all pages has the same diagrams once more.
            const isAll = name === "print.html";
            const { wrong, count } = isAll ? { wrong: [], count: 0 } : await page.evaluate(steps);
            surplus += await page.locator(".stepper").count() * (isAll ? -1 : 1);
            diagrams += count;
            const found = [
                ...await page.evaluate(checks.drawings),
                ...await page.evaluate(checks.nothingUnwanted),
                ...await page.evaluate(legible),
                ...wrong,
            ];
            // As text, the transcripts must fit too.
            await page.evaluate(() => document.querySelector(".steps-choice button[aria-pressed=false]")?.click());
            found.push(...await page.evaluate(checks.layout, size === "wide"));
            await page.evaluate(() => document.querySelector(".steps-choice button[aria-pressed=true]")?.click());
            found.push(...await page.evaluate(checks.layout, size === "wide"));
            if (name !== "print.html") {
                found.push(...await page.evaluate(looks.type, size === "wide"), ...await page.evaluate(looks.names));
                if (name !== "index.html" && name !== "foreword.html") found.push(...await page.evaluate(looks.edges));
                if (size === "wide") found.push(...await looks.contrast(page));
            }
            found.forEach((what) => fail(where(), what));
            if (process.env.SHOTS && name !== "print.html") {
                await mkdir(process.env.SHOTS, { recursive: true });
                await page.screenshot({ path: join(process.env.SHOTS, `${name.replace(".html", "")}-${theme}-${size}.png`), fullPage: true });
            }
            const { links, ids, twice } = await page.evaluate(checks.links);
            targets.set(`/${name}`, new Set(ids));
            if (name !== "print.html") twice.forEach((id) => fail(where(), `the id ${id} twice`));
            wanted.set(`/${name}`, links);
        }
        if (surplus !== 0) fail("print.html", `it has ${-surplus} diagrams more than the other pages`);
        await context.close();
    }
}));

// Every link and anchor inside the book leads somewhere.
targets.set("/", targets.get("/index.html"));
for (const [from, links] of wanted) {
    for (const link of new Set(links)) {
        const url = new URL(link);
        if (url.origin !== site.origin) continue;
        const ids = targets.get(url.pathname);
        const isFile = async () => (await stat(join(folder, url.pathname)).catch(() => null))?.isFile();
        if (!ids && (url.pathname.endsWith(".html") || !await isFile())) fail(from, `a link leads nowhere: ${url.pathname}`);
        else if (ids && url.hash && !ids.has(decodeURIComponent(url.hash.slice(1)))) fail(from, `an anchor leads nowhere: ${url.pathname}${url.hash}`);
    }
}
if (diagrams === 0) fail("the book", "no run is a diagram");

for (const [name, scene] of Object.entries(scenes)) {
    try {
        await scene({ open, site, sizes, targets });
    } catch (error) {
        fail(name, error.message);
    }
}

await browser.close();
site.close();
if (failures.length > 0) {
    console.error([...new Set(failures)].join("\n"));
    process.exit(1);
}
console.log(`${pages.length} pages in ${themes.join(" and ")}, on ${Object.keys(sizes).join(" and ")}; ${diagrams} diagrams; ${Object.keys(scenes).length} scenes: all well`);
