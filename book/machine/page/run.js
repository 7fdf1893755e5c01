// A button under each transcript that can run in this page. The script stands on a page only where
// the book was built with the machine; all else is fetched when a reader presses a button.

import { stepsOf, userOf } from "./transcript.js";

const { element } = window.towerLifelines;

const button = (className, text, pressed) => {
    const made = element("button", className, text);
    made.type = "button";
    made.addEventListener("click", pressed);
    return made;
};

// The whole transcripts, and what cannot run here. Where they cannot be fetched, for example because
// the reader leaves the page, it stays as it is without the machine.
const fetched = await fetch(new URL("transcripts.json", import.meta.url))
    .then((response) => response.text())
    .catch((error) => console.info(`no machine in this page: ${error.message}`));
const { transcripts, names } = fetched ? JSON.parse(fetched) : { transcripts: [] };

// The transcript of which this block shows all or a part; and the steps that stand before it.
const found = (block) => {
    const part = block.replace(/\n*$/, "\n");
    if (!/^[$#] /.test(part)) return null;
    const whole = transcripts.find(({ text }) => text.includes(`\n${part}`));
    if (!whole) return null;
    // What a block asks only, the transcript answers.
    const all = stepsOf(whole.text);
    const first = stepsOf(whole.text.slice(0, whole.text.indexOf(`\n${part}`) + 1)).length;
    const steps = all.slice(first, first + stepsOf(part).length);
    return { ...whole, user: userOf(whole.text), before: all.slice(0, first), steps };
};

let panel;
const open = async (bar, transcript, pre) => {
    const { Panel } = await import("./panel.js");
    panel ??= new Panel({ element, button, names });
    await panel.show(bar, transcript, pre);
};

for (const code of document.querySelectorAll("main pre > code.language-console")) {
    const pre = code.parentElement;
    const transcript = found(code.textContent);
    if (!transcript) continue;
    const next = pre.nextElementSibling;
    const after = next?.matches(".stepper") ? next.nextElementSibling : pre;
    const bar = element("div", "run-here");
    if (transcript.why) bar.append(element("span", "run-not-here", `does not run in this page: ${transcript.why}`));
    else {
        const opener = button("run-here-button", "run it here", () => open(bar, transcript, pre));
        opener.dataset.run = transcript.name;
        bar.append(opener);
    }
    after.after(bar);
}

// The page about the machine has one without a transcript.
const place = document.querySelector("#a-machine-to-try");
if (place && fetched) {
    const bar = element("div", "run-here", button("run-here-button", "start Linux here", () =>
        open(bar, { name: "", user: "you", before: [], steps: [] }, null)));
    document.querySelector("#machine-missing")?.replaceWith(bar);
}
