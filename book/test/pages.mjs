// How every page looks: one right edge, lines of a length that the eye can follow, drawings whose
// words are not larger than the prose, and colours that stand out. The functions without an import
// run in the page, and return what does not hold.

import { createRequire } from "node:module";

const AXE = createRequire(import.meta.url).resolve("axe-core");

// All that stands on a page ends at the right edge of its column, or, as text does, before it.
export function edges() {
    const wrong = [];
    const main = document.querySelector("main");
    const column = main.querySelector(":scope > p:not(.chapter-of), :scope > h1").getBoundingClientRect();
    for (const block of main.querySelectorAll(":scope > :is(pre, p, details, figure, .table-wrapper, .opening, .way, .stepper)")) {
        const box = block.getBoundingClientRect();
        if (box.width === 0) continue;
        if (Math.abs(box.right - column.right) > 1 || Math.abs(box.left - column.left) > 1) {
            wrong.push(`not from edge to edge (${box.left} to ${box.right}, the column ${column.left} to ${column.right}): <${block.nodeName.toLowerCase()} class="${block.className}"> ${block.textContent.trim().slice(0, 40)}`);
        }
    }
    return wrong;
}

// The words of drawings and of code are not larger than the prose; on a wide screen, half of its
// full lines have 65 to 75 characters.
export function type(wide) {
    const wrong = [];
    const main = document.querySelector("main");
    const prose = parseFloat(getComputedStyle(main).fontSize);
    for (const svg of main.querySelectorAll("figure.drawing svg")) {
        const scale = svg.getBoundingClientRect().width / svg.viewBox.baseVal.width;
        for (const text of svg.querySelectorAll("text")) {
            const size = parseFloat(getComputedStyle(text).fontSize) * scale;
            if (size > prose + 0.1) wrong.push(`larger (${size.toFixed(1)} px) than the prose (${prose} px): "${text.textContent}"`);
        }
    }
    if (!wide) return wrong;
    const lengths = [];
    const range = document.createRange();
    for (const paragraph of main.querySelectorAll(":scope > p:not(h1 + p, [class])")) {
        const lines = [];
        const words = document.createTreeWalker(paragraph, NodeFilter.SHOW_TEXT);
        while (words.nextNode()) {
            const text = words.currentNode;
            for (let at = 0; at < text.length; at++) {
                range.setStart(text, at);
                range.setEnd(text, at + 1);
                const box = range.getClientRects()[0];
                if (!box || box.width === 0) continue;
                const middle = (box.top + box.bottom) / 2;
                const last = lines.at(-1);
                if (last && Math.abs(last.middle - middle) < prose * 0.7) last.count += 1;
                else lines.push({ middle, count: 1 });
            }
        }
        lengths.push(...lines.slice(0, -1).map((line) => line.count));
    }
    lengths.sort((one, other) => one - other);
    const half = lengths[Math.floor(lengths.length / 2)];
    if (lengths.length >= 12 && (half < 65 || half > 75)) wrong.push(`lines of prose have ${half} characters`);
    return wrong;
}

// A name in a table is not broken; where there is no room, the table scrolls.
export function names() {
    const wrong = [];
    for (const code of document.querySelectorAll("td code")) {
        for (const text of code.childNodes) {
            if (text.nodeType !== Node.TEXT_NODE || /[\s-]/.test(text.data)) continue;
            const range = document.createRange();
            range.selectNode(text);
            const lines = new Set([...range.getClientRects()].map((box) => Math.round(box.top)));
            if (lines.size > 1) wrong.push(`broken in a table: ${text.data}`);
        }
    }
    return wrong;
}

// Words that do not stand out from what is behind them, by axe-core.
export async function contrast(page) {
    await page.addScriptTag({ path: AXE });
    const found = await page.evaluate(async () => {
        const { violations } = await window.axe.run(document, { runOnly: ["color-contrast"], resultTypes: ["violations"] });
        return violations.flatMap((violation) => violation.nodes).map((node) => ({ html: node.html, ...node.any[0].data }));
    });
    return found.map((word) => `contrast ${word.contrastRatio} (${word.fgColor} on ${word.bgColor}): ${word.html.slice(0, 80)}`);
}
