// What a reader finds around the text: the first page, the tower, the way on, the exercises' boxes,
// the search, paper.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readFile, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { contrast } from "./pages.mjs";
import { serve } from "./server.mjs";

const workspace = join(dirname(fileURLToPath(import.meta.url)), "../..");
const chapters = (await readdir(join(workspace, "chapters"))).sort();
const text = (...path) => readFile(join(workspace, ...path), "utf8");

// The exercises of a chapter as its files have them.
async function exercises(chapter) {
    const folder = join("chapters", chapter, "exercises");
    const files = (await readdir(join(workspace, folder)).catch(() => [])).filter((name) => name.endsWith(".md")).sort();
    return Promise.all(files.map(async (name) => {
        const page = await text(folder, name);
        return { title: /^### (.*)$/m.exec(page)[1], minutes: /^minutes: (\d+)$/m.exec(page)[1], hints: page.split("<details>").length - 1 };
    }));
}

const boxes = (page) => page.locator("details.exercise").evaluateAll((all) => all.map((box) => ({
    open: box.open,
    summary: box.querySelector(":scope > summary").innerText.replace(/\s+/g, " ").trim(),
    hints: box.querySelectorAll("details").length,
})));

export const scenes = {
    async "the first page: all of its promise on one screen, one button, and a real transcript"({ open, site }) {
        for (const [size, inside] of [["wide", "h1, .promise > p, .facts, .terminal pre, .button"], ["phone", "h1, .facts, .button"]]) {
            const { context, page } = await open("light", size);
            await page.goto(`${site.origin}/index.html`);
            await page.evaluate(() => document.fonts.ready);
            const low = await page.locator(`.landing :is(${inside})`).evaluateAll((all) => all.filter((one) => one.getBoundingClientRect().bottom > innerHeight).map((one) => one.outerHTML));
            assert.deepEqual(low, [], `below the screen (${size})`);
            assert.equal(await page.locator(".button").count(), 1);
            const shown = await page.locator(".terminal code").textContent();
            const [, ...lines] = (await text("book/src/transcripts/06-reexec/first.console")).split("\n");
            assert.equal(shown.trim(), lines.join("\n").trim());
            await page.locator(".button").click();
            await page.waitForURL("**/01-uts.html");
            await context.close();
        }
    },

    async "each floor of the tower leads to its chapter, by mouse and by keyboard"({ open, site }) {
        const { context, page } = await open("navy", "wide");
        await page.goto(`${site.origin}/index.html`);
        const floors = await page.locator(".tower a").evaluateAll((all) => all.map((one) => one.getAttribute("href")));
        assert.deepEqual(floors, chapters.map((name) => `${name}.html`).reverse());
        await page.locator(".tower a").nth(7).click();
        await page.waitForURL(`**/${floors[7]}`);
        await page.goBack();
        await page.locator(".tower a").nth(2).focus();
        await page.keyboard.press("Enter");
        await page.waitForURL(`**/${floors[2]}`);
        await context.close();
    },

    async "a page tells its place, and what comes before and after"({ open, site }) {
        const listed = [...(await text("book/src/SUMMARY.md")).matchAll(/^(?:- )?\[(.*)\]\((.*)\.md\)$/gm)].map(([, title, name]) => ({ title, name }));
        const last = chapters.length - 1;
        const { context, page } = await open("light", "wide");
        for (const [at, { name }] of listed.entries()) {
            await page.goto(`${site.origin}/${name}.html`);
            const number = Number(/^\d\d/.exec(name)?.[0] ?? 0);
            assert.deepEqual(await page.locator(".chapter-of").allTextContents(), number ? [`Chapter ${number} of ${last}`] : []);
            for (const [rel, other] of [["prev", listed[at - 1]], ["next", listed[at + 1]]]) {
                const links = page.locator(`nav.way a[rel=${rel}]`);
                assert.equal(await links.count(), other ? 1 : 0, `${name}: ${rel}`);
                if (!other) continue;
                assert((await links.innerText()).endsWith(other.title), `${name}: ${await links.innerText()}`);
                assert((await links.getAttribute("href")).endsWith(`${other.name}.html`));
            }
        }
        await context.close();
    },

    async "the sidebar marks the part of the page that is read"({ open, site }) {
        const { context, page } = await open("light", "wide");
        await page.goto(`${site.origin}/12-walls.html#check-yourself`);
        await page.mouse.wheel(0, 40);
        const marked = () => page.locator("#mdbook-sidebar .current-header").allTextContents();
        await page.waitForFunction(() => document.querySelector("#mdbook-sidebar .current-header"));
        assert.deepEqual(await marked(), ["Check yourself"]);
        await context.close();
    },

    async "exercises are closed boxes with number, name and minutes"({ open, site }) {
        const { context, page } = await open("light", "wide");
        let all = 0;
        for (const chapter of chapters.slice(1)) {
            await page.goto(`${site.origin}/${chapter}.html`);
            const wanted = (await exercises(chapter)).map(({ title, minutes, hints }, at) => ({ open: false, summary: `Exercise ${at + 1} · ${title.replaceAll("'", "’")} ${minutes} min`, hints }));
            assert.deepEqual(await boxes(page), wanted, chapter);
            all += wanted.length;
        }
        assert(all > 30, `${all} exercises`);
        await context.close();
    },

    async "an exercise opens by its link and by the keyboard, and stays as it was left"({ open, site }) {
        const { context, page } = await open("light", "phone");
        const states = async () => (await boxes(page)).map((box) => box.open);
        await page.goto(`${site.origin}/06-reexec.html#a-network-of-one`);
        assert.deepEqual(await states(), [false, false, true, false]);
        const top = await page.locator("#a-network-of-one").evaluate((title) => title.getBoundingClientRect().top);
        assert(top >= 0 && top < 400, `the link's target is at ${top}`);
        await page.evaluate(() => { location.hash = "a-name-that-nothing-else-has"; });
        await page.waitForFunction(() => document.querySelectorAll("details.exercise")[1].open);
        await page.goto(`${site.origin}/05-user-idmap.html`);
        const first = page.locator("details.exercise > summary").first();
        await first.focus();
        await page.keyboard.press("Enter");
        assert((await states())[0], "Enter does not open it");
        await page.waitForFunction(() => Object.entries(localStorage).some(([key, value]) => key.startsWith("book-exercise") && key.includes("05-") && value === "open"));
        await page.reload();
        assert((await states())[0], "forgotten");
        await context.close();
    },

    async "without scripts an exercise is there to read, and on paper it is open"({ open, site }) {
        const plain = await open("light", "wide", { javaScriptEnabled: false });
        await plain.page.goto(`${site.origin}/06-reexec.html`);
        assert(await plain.page.getByText("which leave two variables").isVisible());
        await plain.context.close();
        const { context, page } = await open("navy", "wide");
        await page.goto(`${site.origin}/06-reexec.html`);
        await page.emulateMedia({ media: "print" });
        assert(await page.getByText("which leave two variables").isVisible(), "closed on paper");
        assert(await page.getByText("whatever the caller writes there").first().isVisible(), "a hint is closed on paper");
        await context.close();
    },

    async "the search has the text of every section, and no code"({ open, site }) {
        const { context, page } = await open("light", "wide");
        await page.goto(`${site.origin}/index.html`);
        await page.keyboard.press("s");
        await page.waitForFunction(() => window.search?.index?.documentStore);
        const sections = await page.evaluate(() => {
            const { docs } = window.search.index.documentStore;
            return window.search.doc_urls.map((url, id) => ({ url, ...docs[id] }));
        });
        for (const name of chapters) {
            await page.goto(`${site.origin}/${name}.html`);
            // A hint may have a line of the code, as prose.
            const { lines, ids } = await page.evaluate(() => ({
                lines: [...document.querySelectorAll("pre > code")].flatMap((code) => code.textContent.split("\n")).map((line) => line.trim())
                    .filter((line) => line.length > 45 && !line.startsWith("//") && ![...document.querySelectorAll(":not(pre) > code")].some((code) => code.textContent.includes(line))),
                ids: [...document.querySelectorAll("main :is(h1, h2, h3)[id]")].map((title) => title.id),
            }));
            const body = sections.filter(({ url }) => url.startsWith(`${name}.html`)).map((section) => section.body).join("\n");
            for (const line of lines) assert(!body.includes(line.replace(/\s+/g, " ")), `${name}: in the index: ${line}`);
            for (const id of ids) assert(sections.some(({ url }) => url === `${name}.html#${id}`), `${name}: not in the index: ${id}`);
        }
        const words = sections.map((section) => section.body.length).reduce((one, other) => one + other);
        const [index] = (await readdir(join(workspace, "book/book/html"))).filter((name) => name.startsWith("searchindex"));
        const { size } = await stat(join(workspace, "book/book/html", index));
        assert(words > 100_000 && size < 2 * words, `${size} bytes for ${words} characters of text`);
        await context.close();
    },

    async "everything stands out in each theme, the search and the list of themes too"({ open, site }) {
        await Promise.all(["light", "rust", "coal", "navy", "ayu"].map(async (theme) => {
            const { context, page } = await open(theme, "wide");
            for (const name of ["index", "09-aufs", "ladder"]) {
                await page.goto(`${site.origin}/${name}.html`);
                await page.evaluate(() => document.querySelectorAll("details").forEach((details) => { details.open = true; }));
                assert.deepEqual(await contrast(page), [], `${name}, ${theme}`);
            }
            await page.keyboard.press("s");
            await page.keyboard.type("mount");
            await page.locator("#mdbook-searchresults a").first().waitFor();
            await page.locator("#mdbook-theme-toggle").click();
            assert.deepEqual(await contrast(page), [], `the search, ${theme}`);
            await context.close();
        }));
    },

    async "the whole book prints with a cover and contents, and without the code if you like"({ open, site }) {
        const { context, page } = await open("navy", "wide");
        await context.addInitScript(() => { window.print = () => {}; });
        const pages = async (address) => {
            await page.goto(`${site.origin}/${address}`);
            await page.emulateMedia({ media: "print" });
            const titles = await page.locator("main h1[id]").allTextContents();
            assert.deepEqual(await page.locator(".contents li").allTextContents(), titles);
            assert(await page.locator(".cover-title").isVisible());
            const [back, ink] = await page.evaluate(() => [document.documentElement, document.querySelector("main p")].map((one, at) => getComputedStyle(one)[at ? "color" : "backgroundColor"]));
            assert.deepEqual([back, ink], ["rgb(255, 255, 255)", "rgb(29, 31, 35)"], "dark on paper");
            const pdf = await page.pdf({ preferCSSPageSize: true });
            return pdf.toString("latin1").match(/\/Type \/Page\b/g).length;
        };
        const all = await pages("print.html");
        assert(await page.locator("details.answer pre").first().isVisible());
        const text = await pages("print.html?without-code");
        assert(!await page.locator("details.answer pre, details.difference pre").filter({ visible: true }).count(), "code is printed");
        assert(await page.locator("code.language-console").first().isVisible() && text < 0.7 * all, `${text} of ${all} pages`);
        await context.close();
    },

    async "the hand-out is two sides of paper, and the second is the poster"({ open, site }) {
        const { context, page } = await open("navy", "wide");
        await page.goto(`${site.origin}/handout.html`);
        await page.emulateMedia({ media: "print" });
        assert(await page.locator(".poster img").evaluate((image) => image.decode().then(() => image.naturalWidth > 0)));
        assert(!await page.locator(".how-to-print").isVisible());
        const pdf = await page.pdf({ preferCSSPageSize: true });
        assert.equal(pdf.toString("latin1").match(/\/Type \/Page\b/g).length, 2);
        await context.close();
    },

    async "what goes wrong in the room is closed, and no search finds it"({ open, site }) {
        const { context, page } = await open("light", "wide");
        await page.goto(`${site.origin}/mistakes.html`);
        const details = page.locator("details.room");
        assert.equal(await details.count(), chapters.length - 1);
        assert(!await details.locator("li").filter({ visible: true }).count(), "a mistake can be seen at once");
        await details.first().locator("summary").click();
        assert(await details.first().locator("li").first().isVisible());
        const [index] = (await readdir(join(workspace, "book/book/html"))).filter((name) => /^searchindex-.*\.js$/.test(name));
        const words = await text("book/book/html", index);
        assert(words.includes("workshop.html#") && !words.includes("mistakes.html#"));
        await context.close();
    },

    async "where the repository is public, pages and files lead there"({ open }) {
        const folder = await mkdtemp(join(tmpdir(), "book-"));
        const address = "https://code.example/owner/tower";
        const env = { ...process.env, MDBOOK_OUTPUT__HTML__GIT_REPOSITORY_URL: address, MDBOOK_OUTPUT__HTML__EDIT_URL_TEMPLATE: `${address}/edit/main/book/{path}` };
        try {
            await promisify(execFile)(join(workspace, "book/mdbook.sh"), ["build", join(workspace, "book"), "--dest-dir", folder], { env });
            const site = await serve(join(folder, "html"));
            const { context, page } = await open("light", "wide", {}, site);
            await page.goto(`${site.origin}/06-reexec.html`);
            assert.equal(await page.locator(".right-buttons a[rel=edit]").getAttribute("href"), `${address}/edit/main/book/src/06-reexec.md`);
            const files = await page.locator("main a:has(> code)").evaluateAll((all) => all.map((one) => one.getAttribute("href")));
            const own = files.filter((href) => href.startsWith(address));
            assert(own.length >= 5, `${own.length} links to files`);
            for (const href of own) await stat(join(workspace, href.replace(`${address}/blob/HEAD/`, "")));
            await context.close();
            site.close();
        } finally {
            await rm(folder, { recursive: true });
        }
    },

    async "the poster names functions that are there, and prints on one page"() {
        const poster = await text("book/src/drawings/poster.svg");
        const places = [...poster.matchAll(/class="mono place"[^>]*>([^<]+)</g)].map(([, place]) => place.split("::"));
        assert(places.length > 25, `${places.length} places`);
        for (const [chapter, name] of places) {
            const folder = join("chapters", chapter, "src");
            const files = (await readdir(join(workspace, folder), { recursive: true })).filter((file) => file.endsWith(".rs"));
            const sources = await Promise.all(files.map((file) => text(folder, file)));
            assert(sources.some((source) => new RegExp(`fn ${name}\\b`).test(source)), `${chapter} has no function ${name}`);
        }
        const pdf = await readFile(join(workspace, "book/src/drawings/poster.pdf"));
        assert.equal(pdf.toString("latin1").match(/\/Type \/Page\b/g).length, 1);
        assert(pdf.length < 200_000, `${pdf.length} bytes`);
    },
};
