// What a reader does with a diagram.

import assert from "node:assert/strict";

const PAGE = "06-reexec.html";

// The diagram and its parts, on a page that has just been opened.
async function first(page, site, name = PAGE) {
    await page.goto(`${site.origin}/${name}`);
    const stepper = page.locator(".stepper").first();
    const step = async () => Number((await stepper.locator(".count").textContent()).split(" ")[0]);
    const steps = async () => Number((await stepper.locator(".count").textContent()).split(" ")[2]);
    return { stepper, step, steps, list: stepper.locator("ol.steps") };
}

export const stepScenes = {
    async "a diagram begins where the command is executed, with all steps to be seen"({ open, site }) {
        const { context, page } = await open("light", "wide");
        const { stepper, list } = await first(page, site);
        assert.match(await list.locator("[aria-current=step] .what").textContent(), /^executing: /);
        const rows = await list.locator("li.step").all();
        for (const row of rows) assert(await row.isVisible(), "a step is hidden");
        assert(!await page.locator("pre:has(> code.language-console):has-text('+')").filter({ hasText: "nsInitialisation" }).first().isVisible(), "the text is there as well");
        assert.equal(await stepper.locator(".say").getAttribute("aria-live"), "polite");
        await context.close();
    },

    async "the keyboard steps through a diagram, and the page stays"({ open, site }) {
        const { context, page } = await open("light", "wide");
        const { stepper, step, steps, list } = await first(page, site);
        const all = await steps();
        for (const focused of [list, stepper.locator("input[type=range]"), stepper.locator("button.play")]) {
            await focused.focus();
            await page.keyboard.press("Home");
            assert.equal(await step(), 1);
            await page.keyboard.press("ArrowRight");
            await page.keyboard.press("ArrowRight");
            assert.equal(await step(), 3);
            await page.keyboard.press("ArrowLeft");
            assert.equal(await step(), 2);
            await page.keyboard.press("End");
            await page.keyboard.press("ArrowRight");
            assert.equal(await step(), all);
        }
        assert(page.url().endsWith(PAGE), "an arrow turned the page");
        for (const name of ["one step back", "one step forward", "play"]) {
            assert.equal(await stepper.getByRole("button", { name, exact: true }).count(), 1, `no button "${name}"`);
        }
        await stepper.getByRole("button", { name: "one step back" }).press("Enter");
        assert.equal(await step(), all - 1);
        await context.close();
    },

    async "a click chooses a step, and play goes on from the front"({ open, site }) {
        const { context, page } = await open("navy", "wide", { reducedMotion: "reduce" });
        const { stepper, step, list } = await first(page, site);
        await list.locator("li.step .what").nth(4).click();
        assert.equal(await step(), 5);
        await page.keyboard.press("End");
        await stepper.getByRole("button", { name: "play", exact: true }).click();
        assert.equal(await step(), 1);
        await page.waitForFunction(() => document.querySelector(".stepper .count").textContent.startsWith("2 "), undefined, { timeout: 5000 });
        const moving = await page.evaluate(() => document.getAnimations().filter((one) => one.effect.target.closest(".stepper")).length);
        assert.equal(moving, 0, "something moves, and the reader wants no motion");
        await stepper.getByRole("button", { name: "pause", exact: true }).click();
        assert.equal(await stepper.getByRole("button", { name: "pause", exact: true }).count(), 0);
        await context.close();
    },

    async "a step's place leads to the function, if the page shows it"({ open, site }) {
        const { context, page } = await open("light", "wide");
        const { list } = await first(page, site);
        const place = list.locator("a.place", { hasText: "06-reexec::bring_up_loopback" });
        const href = await place.getAttribute("href");
        await place.click();
        const target = page.locator(href);
        await target.waitFor({ state: "visible" });
        const code = await target.evaluate((element) => element.closest("code").textContent);
        assert.match(code, /fn bring_up_loopback\b/);
        assert.equal(await list.locator("a.place", { hasText: "01-uts::" }).count(), 0, "a link to what another page shows");
        await context.close();
    },

    async "what is lit is what has changed"({ open, site }) {
        const { context, page } = await open("light", "wide");
        const { stepper, list } = await first(page, site);
        await list.locator("li.step", { hasText: "hostname is container-" }).locator(".what").click();
        const lit = await stepper.locator(".card mark").evaluateAll((all) => all.map((mark) => mark.parentElement.previousElementSibling.textContent));
        assert.deepEqual(lit, ["hostname"]);
        await list.locator("li.step", { hasText: "lo is up" }).locator(".what").click();
        assert.equal(await stepper.locator(".card mark").textContent(), "not the host’s, lo is up");
        await context.close();
    },

    async "a diagram becomes text and again a diagram, and the choice is remembered"({ open, site }) {
        const { context, page } = await open("navy", "wide");
        const { stepper } = await first(page, site);
        const button = page.locator(".steps-choice button[aria-pressed]").first();
        await button.focus();
        await page.keyboard.press("Enter");
        assert(!await stepper.isVisible(), "the diagram stays");
        await page.goto(`${site.origin}/04-mount.html`);
        assert(!await page.locator(".stepper").first().isVisible(), "the choice is forgotten");
        assert(await page.locator("pre:has(+ .stepper)").first().isVisible(), "no text");
        await page.locator(".steps-choice button[aria-pressed]").first().focus();
        await page.keyboard.press("Space");
        assert(await page.locator(".stepper").first().isVisible(), "no way back");
        await context.close();
    },

    async "the details of a run are shown if the reader wants them"({ open, site }) {
        const { context, page } = await open("light", "wide");
        const { steps, stepper } = await first(page, site);
        const short = await steps();
        const said = await stepper.locator(".say .message").textContent();
        await page.locator(".every-line input").first().check();
        assert(await steps() > short, "no more steps");
        assert.equal(await stepper.locator(".say .message").textContent(), said, "another step than before");
        await page.locator(".every-line input").first().uncheck();
        assert.equal(await steps(), short);
        await context.close();
    },

    async "on a phone the cards are under the diagram"({ open, site }) {
        const { context, page } = await open("light", "phone");
        const { stepper, list } = await first(page, site, "12-walls.html");
        const [diagram, cards] = [await list.boundingBox(), await stepper.locator(".cards").boundingBox()];
        assert(cards.y >= diagram.y + diagram.height, "beside it");
        assert(await page.evaluate(() => document.documentElement.scrollWidth <= document.documentElement.clientWidth), "wider than the phone");
        await context.close();
    },

    async "on paper a diagram is whole, and has no controls"({ open, site }) {
        const { context, page } = await open("light", "wide");
        const { stepper, list } = await first(page, site);
        await page.emulateMedia({ media: "print" });
        for (const row of await list.locator("li.step").all()) assert(await row.isVisible(), "a step is not on paper");
        for (const part of [stepper.locator(".moment"), page.locator(".steps-choice").first()]) {
            assert(!await part.isVisible(), "a control is on paper");
        }
        await context.close();
    },

    async "without scripts a run is text"({ open, site }) {
        const { context, page } = await open("light", "wide", { javaScriptEnabled: false });
        await page.goto(`${site.origin}/${PAGE}`);
        assert.equal(await page.locator(".stepper").count(), 0);
        assert(await page.locator("pre:has(+ script.records)").first().isVisible(), "the transcript is hidden");
        assert(!(await page.locator("main").innerText()).includes("elapsed_ms"), "the records are on the page");
        await context.close();
    },

    async "a diagram stands out in every theme"({ open, site }) {
        const { legible } = await import("./steps.mjs");
        for (const theme of ["light", "rust", "coal", "navy", "ayu"]) {
            const { context, page } = await open(theme, "wide");
            await first(page, site, "12-walls.html");
            assert.deepEqual(await page.evaluate(legible), [], theme);
            await context.close();
        }
    },
};
