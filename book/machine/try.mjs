// try.mjs STATE LIST [WORD…]: runs the book's transcripts in the restored machine, each on a fresh
// one, and says which do not print what the page shows. LIST is the site's transcripts.json.

import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { V86 } from "v86";
import { difference, renaming } from "./page/compare.js";
import { computer } from "./page/computer.js";
import { Shell } from "./page/shell.js";
import { differs, stepsOf, userOf, withoutItsOwn } from "./page/transcript.js";

const PATIENCE = 120_000; // milliseconds, for a command
const [state, list, ...words] = process.argv.slice(2);
const bytes = await readFile(state);
const buffer = () => bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length);
const { transcripts, names } = JSON.parse(await readFile(list, "utf8"));
const rename = renaming(names);

// A new one each time: page/machine.js says why.
let emulator;
const restored = async () => {
    emulator?.destroy();
    emulator = new V86({
        ...computer,
        wasm_path: fileURLToPath(import.meta.resolve("v86/build/v86.wasm")),
        initial_state: { buffer: buffer() },
    });
    await new Promise((ready) => emulator.add_listener("emulator-ready", ready));
    return new Shell(emulator, true);
};

let wrong = 0;
for (const { name, text, why, own } of transcripts) {
    if (why || (words.length > 0 && !words.some((word) => name.includes(word)))) continue;
    const user = userOf(text);
    const shell = await restored();
    const now = [];
    const page = [];
    let result = "same";
    const begun = performance.now();
    for (const step of stepsOf(text)) {
        const late = new Promise((end) => { setTimeout(() => end(null), PATIENCE).unref(); });
        const ended = await Promise.race([shell.run(user, step.command), late]);
        if (!ended) {
            result = `no end: ${step.command}\n${shell.text()}`;
            break;
        }
        page.push(step);
        now.push({ command: step.command, ...ended, output: withoutItsOwn(ended.output, own) });
        const lines = differs(rename, difference, user, page, now);
        if (lines) {
            result = `DIFFERS\n${lines.map(({ sign, line }) => `  ${sign}${line}`).join("\n")}`;
            break;
        }
    }
    if (result !== "same") wrong += 1;
    console.log(`${name} (${((performance.now() - begun) / 1000).toFixed(1)} s): ${result}`);
}
console.log(`${wrong} not the same`);
process.exit(wrong === 0 ? 0 : 1);
