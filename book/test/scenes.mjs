// What a reader does with the book.

import assert from "node:assert/strict";

// A page with a diagram and with code, on which the scenes play.
const PAGE = "04-mount.html";

export const scenes = {
    async "the search finds pivot_root"({ open, site }) {
        const { context, page } = await open("light", "wide");
        await page.goto(`${site.origin}/index.html`);
        await page.keyboard.press("s");
        await page.keyboard.type("pivot_root");
        const result = page.locator("#mdbook-searchresults a, #searchresults a").first();
        await result.waitFor();
        const hrefs = await page.locator("#mdbook-searchresults a, #searchresults a").evaluateAll((links) => links.map((link) => link.getAttribute("href")));
        assert(hrefs.some((href) => href.includes("04-mount.html")), `found ${hrefs.join(", ")}`);
        await context.close();
    },

    async "the 404 page leads home, from any depth"({ open, site }) {
        for (const path of ["/no-such-page.html", "/no/such/page.html"]) {
            const context = await (await open("light", "wide")).context;
            const page = await context.newPage(); // without the watch for failed requests: this one is to fail
            const response = await page.goto(site.origin + path);
            assert.equal(response.status(), 404);
            await page.locator("main a").first().click();
            await page.waitForURL((url) => ["/", "/index.html"].includes(url.pathname));
            await context.close();
        }
    },

    async "the code is closed, a click opens one fold, and that is remembered"({ open, site }) {
        const { context, page } = await open("light", "wide");
        await page.goto(`${site.origin}/09-aufs.html`);
        const states = () => page.locator("details.answer").evaluateAll((all) => all.map((one) => one.open));
        const folds = (await states()).length;
        assert(folds > 1, "less than two folds on the page");
        assert((await states()).every((open) => !open), "open at first");
        // The browser reports a fold's change a moment later.
        const remembered = (state) => page.waitForFunction(
            (state) => localStorage.getItem(`book-code ${location.pathname} 0`) === state, state);
        await page.locator("details.answer > summary").first().click();
        const first = [true, ...Array(folds - 1).fill(false)];
        await remembered("open");
        assert(String(await states()) === String(first), "not the first alone is open");
        await page.reload();
        assert(String(await states()) === String(first), "forgotten");
        await page.goto(`${site.origin}/05-user-idmap.html`);
        assert((await states()).every((open) => !open), "open on the next page");
        await page.goto(`${site.origin}/09-aufs.html`);
        await page.locator("details.answer > summary").first().focus();
        await page.keyboard.press("Enter");
        await remembered("closed");
        await page.reload();
        assert((await states()).every((open) => !open), "not closed by the keyboard");
        await context.close();
    },

    async "a link into closed code opens it"({ open, site }) {
        const { context, page } = await open("light", "wide");
        await page.goto(`${site.origin}/${PAGE}`);
        await page.evaluate(() => {
            document.querySelector("details.answer p").id = "inside-the-answer";
            location.hash = "inside-the-answer";
        });
        await page.waitForFunction(() => document.querySelector("details.answer").open);
        await context.close();
    },

    async "what is copied of a transcript is its commands"({ open, site }) {
        const { context, page } = await open("light", "wide");
        await context.grantPermissions(["clipboard-read", "clipboard-write"]);
        await page.goto(`${site.origin}/${PAGE}`);
        const pre = page.locator("pre:has(> code.language-console):visible").first();
        await pre.hover();
        await pre.locator(".copy-commands").click();
        const copied = await page.evaluate(() => navigator.clipboard.readText());
        const shown = await pre.locator(".command").allTextContents();
        assert.equal(copied, shown.map((line) => line.slice(2).replace(/\n$/, "")).join("\n"));
        assert(copied.startsWith("cargo run --bin"), copied);
        await context.close();
    },

    async "without scripts the transcripts are text and the code is open"({ open, site }) {
        const { context, page } = await open("light", "wide", { javaScriptEnabled: false });
        await page.goto(`${site.origin}/${PAGE}`);
        const code = page.locator("details.answer pre").first();
        assert(await code.isVisible(), "the code is hidden");
        assert(await page.locator("pre:has(> code.language-console)").first().isVisible(), "the transcripts are hidden");
        await context.close();
    },

    async "on paper everything is open"({ open, site }) {
        const { context, page } = await open("light", "wide");
        await page.goto(`${site.origin}/${PAGE}`);
        await page.evaluate(() => {
            window.seen = [];
            window.addEventListener("beforeprint", () => setTimeout(() => 0));
            window.matchMedia("print").addEventListener("change", (event) => {
                if (event.matches) window.seen.push(document.querySelectorAll("details:not([open])").length);
            });
        });
        const pdf = await page.pdf();
        assert(pdf.length > 10_000, "nothing printed");
        await page.emulateMedia({ media: "print" });
        assert(await page.locator("details.answer pre").first().isVisible(), "the code is not on paper");
        await context.close();
    },
};
