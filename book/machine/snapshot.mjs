// snapshot.mjs BIOS KERNEL INITRAMFS STATE: starts the machine in Node, and writes its state.

import { readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { V86 } from "v86";
import { computer } from "./page/computer.js";
import { Shell } from "./page/shell.js";

const PATIENCE = 300; // seconds, for all of it
const [bios, kernel, initramfs, state] = process.argv.slice(2);
const buffer = async (file) => {
    const bytes = await readFile(file);
    return { buffer: bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) };
};

// Warm and clean: the user's image of chapter 9 is there, and nothing waits to be written.
const READY = [
    ["you", "09-aufs run -q --driver overlay -- true"],
    ["root", "06-reexec true"],
    ["root", "sync; echo 3 >/proc/sys/vm/drop_caches; echo 4240 >/proc/sys/kernel/ns_last_pid"],
];

let console_ = "";
const fail = (why) => {
    console.error(`${why}\n${console_.slice(-3000)}`);
    process.exit(1);
};
setTimeout(() => fail(`the machine is not ready after ${PATIENCE} s`), PATIENCE * 1000).unref();

const emulator = new V86({
    ...computer,
    wasm_path: fileURLToPath(import.meta.resolve("v86/build/v86.wasm")),
    bios: await buffer(`${bios}/bios.bin`),
    vga_bios: await buffer(`${bios}/vgabios-stdvga.bin`),
    bzimage: await buffer(kernel),
    initrd: await buffer(initramfs),
    cmdline: "console=ttyS0 mitigations=off nokaslr init_on_free=1 quiet loglevel=4",
});
emulator.add_listener("serial0-output-byte", (byte) => { console_ += String.fromCharCode(byte); });

const shell = new Shell(emulator, false);
await shell.last;
console.log(`booted in ${(performance.now() / 1000).toFixed(1)} s`);
for (const [user, command] of READY) {
    const { output, status } = await shell.run(user, command);
    if (status !== 0) fail(`${user}: ${command}: exit status ${status}: ${output}`);
}
await writeFile(state, new Uint8Array(await emulator.save_state()));
process.exit(0);
