// try.mjs STATE [USER COMMAND]…: runs commands in the restored machine.
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { V86 } from "v86";
import { computer } from "./computer.mjs";
import { Shell } from "./shell.mjs";
const b = await readFile(process.argv[2]);
const e = new V86({ ...computer, wasm_path: fileURLToPath(import.meta.resolve("v86/build/v86.wasm")), initial_state: { buffer: b.buffer.slice(b.byteOffset, b.byteOffset + b.length) } });
await new Promise((r) => e.add_listener("emulator-ready", r));
const s = new Shell(e, true);
const w = process.argv.slice(3);
for (let i = 0; i < w.length; i += 2) { const t = performance.now(); const { output, status } = await s.run(w[i], w[i + 1]); console.log(output + `[${status}, ${(performance.now() - t).toFixed(0)} ms]`); }
process.exit(0);
