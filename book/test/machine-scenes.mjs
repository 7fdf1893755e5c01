// The machine in a page: it starts, its commands print what the page shows, and where it cannot
// start, the page says why and stays as it was.

import assert from "node:assert/strict";
import { readFile, readdir } from "node:fs/promises";
import { difference, renaming } from "../machine/page/compare.js";
import { contrast } from "./pages.mjs";

const FIRST_OUTPUT = 5000; // milliseconds, from the click, with a server on this machine
const FETCHED = 15e6; // bytes
const PATIENCE = 90_000; // milliseconds, for a command

// A transcript of each chapter that runs in there.
const CHAPTERS = {
    "00-lab": "endings", "01-uts": "show", "02-ipc": "both-ways", "03-pid": "two-pids", "04-mount": "show",
    "05-user-idmap": "show", "06-reexec": "show", "07-cgroup-memory": "show", "08-pipe-init": "show",
    "09-aufs": "show", "10-names": "ps", "11-nsenter": "show", "12-walls": "show",
};

const verdict = (row) => `.machine-steps li:nth-child(${row}) .machine-verdict`;

async function start(page, name) {
    await page.locator(`.run-here-button[data-run="${name}"]`).click();
    await page.waitForSelector(".machine-steps button:enabled", { timeout: PATIENCE });
}

// Runs all commands of the transcript that is shown.
async function runAll(page) {
    const rows = await page.locator(".machine-steps li").count();
    for (let row = 1; row <= rows; row += 1) {
        await page.locator(`.machine-steps li:nth-child(${row}) button`).click();
        await page.waitForSelector(`${verdict(row)}[data-is]`, { timeout: PATIENCE });
        const is = await page.locator(verdict(row)).getAttribute("data-is");
        assert.equal(is, "same", await page.locator(`.machine-steps li:nth-child(${row})`).innerText());
    }
}

// What the first terminal shows.
const screen = (page, at = 0) => page.locator(".machine-screen").nth(at).locator(".xterm-rows").innerText();

async function types(page, at, text, until) {
    await page.locator(".machine-screen textarea").nth(at).focus();
    await page.keyboard.type(`${text}\n`);
    for (const end = Date.now() + PATIENCE; Date.now() < end;) {
        if (until.test(await screen(page, at))) return;
        await page.waitForTimeout(200);
    }
    assert.fail(`no ${until} after ${text}:\n${await screen(page, at)}`);
}

const scenes = {
    async "a transcript of each chapter runs in its page"({ open, site }) {
        let first;
        for (const [chapter, name] of Object.entries(CHAPTERS)) {
            const { context, page } = await open("light", "wide");
            let bytes = 0;
            page.on("response", async (response) => {
                if (response.url().includes("/machine-")) bytes += (await response.body()).length;
            });
            await page.goto(`${site.origin}/${chapter}.html`);
            await page.waitForSelector(".run-here");
            assert.equal(await page.evaluate(() => performance.getEntriesByName("state").length), 0);
            const begun = Date.now();
            await start(page, `${chapter}/${name}`);
            await page.waitForFunction(() => /\$/.test(document.querySelector(".machine-screen .xterm-rows")?.innerText));
            const time = Date.now() - begun;
            await runAll(page);
            if (!first) {
                first = true;
                const memory = await page.evaluate(() => Math.round(performance.memory.usedJSHeapSize / 2 ** 20));
                console.log(`the machine: first output after ${time} ms, ${(bytes / 1e6).toFixed(1)} MB fetched, ${memory} MB of JavaScript heap`);
                assert.ok(bytes > 0 && bytes <= FETCHED, `${bytes} bytes fetched`);
                assert.ok(time <= FIRST_OUTPUT * patience, `${time} ms to the first output`);
            }
            await context.close();
        }
    },

    async "a run in the page is drawn beside the page's own"({ open, site }) {
        const { context, page } = await open("navy", "wide");
        await page.goto(`${site.origin}/06-reexec.html`);
        await start(page, "06-reexec/show");
        await runAll(page);
        const rows = (root) => page.locator(`${root} .step .what`).allInnerTexts();
        const plain = (texts) => texts.map((text) => text.replace(/\d{2,}|container-\w+/g, "N"));
        const before = await page.locator(".stepper.live").evaluate((live) => {
            live.previousElementSibling.id = "the-pages";
            return live.querySelectorAll(".card").length;
        });
        assert.ok(before >= 2, "a card for each process");
        assert.deepEqual(await contrast(page), []);
        assert.deepEqual(plain(await rows(".stepper.live")), plain(await rows("#the-pages")));
        await context.close();
    },

    async "you join a container from a second terminal, and a reset brings all back"({ open, site }) {
        const { context, page } = await open("navy", "phone");
        await page.goto(`${site.origin}/run-here.html`);
        await page.locator(".run-here-button").click();
        assert.equal(await page.locator("#machine-missing").count(), 0);
        await page.waitForSelector(".machine-bar button:enabled >> text=second terminal", { timeout: PATIENCE });
        await page.locator(".machine-bar >> text=second terminal").click();
        await types(page, 0, "11-nsenter run -q -ti --name box", /root@box:/);
        await types(page, 1, "11-nsenter exec -q box -- hostname", /\nbox\n/);
        const width = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
        assert.equal(width, 0, "the page scrolls sideways");
        await page.locator(".machine-bar >> text=reset").click();
        await page.waitForFunction(() => /as it was/.test(document.querySelector(".machine-state").textContent), null, { timeout: PATIENCE });
        await types(page, 1, "11-nsenter ps", /NAME/);
        assert.doesNotMatch(await screen(page, 1), /^box /m);
        // Tab is the shell's, and Escape before it takes you to the next thing on the page.
        const inTerminal = () => page.evaluate(() => Boolean(document.activeElement.closest(".machine-screen")));
        await page.keyboard.press("Tab");
        assert.equal(await inTerminal(), true, "Tab leaves the terminal");
        await page.keyboard.press("Escape");
        await page.keyboard.press("Tab");
        assert.equal(await inTerminal(), false, "Escape and Tab stay in the terminal");
        await context.close();
    },

    async "a reset ends a command that runs, and two presses start one machine"({ open, site }) {
        const { context, page } = await open("light", "wide");
        let snapshots = 0;
        page.on("request", (request) => { snapshots += request.url().endsWith("/state.zst"); });
        await page.goto(`${site.origin}/01-uts.html`);
        await page.locator(".run-here-button").nth(1).click();
        await page.locator('.run-here-button[data-run="01-uts/show"]').click();
        await page.waitForSelector(".machine-steps button:enabled", { timeout: PATIENCE });
        assert.equal(snapshots, 1);
        const reset = page.locator(".machine-bar >> text=reset");
        await page.locator(".machine-steps button").first().click();
        assert.equal(await reset.isEnabled(), true, "no reset while a command runs");
        await reset.click();
        await page.waitForFunction(() => /as it was/.test(document.querySelector(".machine-state").textContent), null, { timeout: PATIENCE });
        await runAll(page);
        await context.close();
    },

    async "where it cannot start, a line says why"({ open, site }) {
        const ways = {
            "no WebAssembly": [/WebAssembly/, (page) => page.addInitScript(() => { delete window.WebAssembly; })],
            "no network": [/could not be fetched/, (page) => page.route("**/state.zst", (route) => route.abort())],
            "the file is gone": [/status 404/, (page) => page.route("**/state.zst", (route) => route.fulfill({ status: 404, body: "" }))],
            "too little memory": [/memory/, (page) => page.addInitScript(() => {
                for (const name of ["instantiate", "instantiateStreaming"]) {
                    WebAssembly[name] = async () => { throw new RangeError("could not allocate memory"); };
                }
            })],
        };
        for (const [way, [line, prepare]] of Object.entries(ways)) {
            const { context, page } = await open("light", "phone");
            for (const event of ["console", "requestfailed", "response", "pageerror"]) page.removeAllListeners(event);
            await prepare(page);
            await page.goto(`${site.origin}/01-uts.html`);
            const shown = await page.locator("main pre").allInnerTexts();
            await page.locator(".run-here-button").first().click();
            const failed = page.locator(".machine-failed");
            await failed.waitFor({ timeout: PATIENCE });
            assert.match(await failed.innerText(), line, way);
            assert.equal(await page.locator(".machine:visible").count(), 0, way);
            assert.deepEqual(await page.locator("main pre").allInnerTexts(), shown, way);
            await context.close();
        }
    },
};

// The page tells names apart as the test of the transcripts does: the same examples are there.
const without = {
    async "a page tells names apart as the test of the transcripts does"() {
        const read = async (name) => JSON.parse(await readFile(new URL(`../../tests/transcripts/${name}`, import.meta.url), "utf8"));
        const rename = renaming(await read("names.json"));
        for (const [text, renamed] of await read("renamed.json")) assert.equal(rename(text), renamed);
        const signs = difference("a\nb\nc", "a\nc\nd").map(({ sign, line }) => sign + line);
        assert.deepEqual(signs, [" a", "-b", " c", "+d"]);
    },
};

// Other programs at work make the emulator slower still: `JUDGE_PATIENCE=4` waits four times as long.
const patience = Number(process.env.JUDGE_PATIENCE ?? 1);

// None where the book was built without its machine: that is an error on CI only.
export async function machineScenes(folder) {
    if ((await readdir(folder)).some((name) => name.startsWith("machine-"))) return { ...without, ...scenes };
    if (process.env.CI) throw new Error("the book has no machine: `make machine` builds it");
    console.log("skipped: the machine in the pages (`make machine` builds it, then `make test-book`)");
    return without;
}
