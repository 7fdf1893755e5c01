// The machine of a page: fetched and started when a reader asks for it, and not before.

import { computer } from "./computer.js";
import { Shell } from "./shell.js";

const here = (name) => new URL(name, import.meta.url).href;

// Why it cannot be, in a line for the reader.
export class NotHere extends Error {}

// A file of the book's own; `said` gets how many of its bytes are there, and how many there are.
const fetched = async (name, said) => {
    const failed = (why) => new NotHere(`${name} could not be fetched (${why}). Is the network there?`);
    let response;
    try {
        response = await fetch(here(name));
    } catch (error) {
        throw failed(error.message);
    }
    if (!response.ok) throw failed(`status ${response.status}`);
    const whole = Number(response.headers.get("content-length"));
    const parts = [];
    let length = 0;
    try {
        for (const reader = response.body.getReader(); ;) {
            const { done, value } = await reader.read();
            if (done) break;
            parts.push(value);
            length += value.length;
            said(length, whole);
        }
    } catch (error) {
        throw failed(error.message);
    }
    return new Blob(parts).arrayBuffer();
};

// A packed file, unpacked: an address that a module or the emulator can be loaded from.
export const unpacked = async (name, type) => {
    const packed = new Blob([await fetched(`${name}.gz`, () => {})]).stream();
    const plain = new Response(packed.pipeThrough(new DecompressionStream("gzip")));
    return URL.createObjectURL(new Blob([await plain.arrayBuffer()], { type }));
};

export class Machine {
    // Starts one. `said` gets lines for a reader who waits.
    static async start(said) {
        if (typeof WebAssembly !== "object") throw new NotHere("This browser has no WebAssembly, which the machine needs.");
        if (typeof DecompressionStream !== "function") throw new NotHere("This browser cannot unpack the machine: it has no DecompressionStream.");
        const mega = (bytes) => (bytes / 1e6).toFixed(1);
        const state = await fetched("state.zst", (bytes, whole) =>
            said(`fetching Linux: ${mega(bytes)}${whole ? ` of ${mega(whole)}` : ""} MB`));
        const { V86 } = await import(await unpacked("libv86.mjs", "text/javascript"));
        const wasm_path = await unpacked("v86.wasm", "application/wasm");
        said("starting");
        const machine = new Machine();
        Object.assign(machine, { V86, wasm_path, state, terminals: new Map() });
        await machine.restore();
        return machine;
    }

    // A new emulated computer with the snapshot's memory. The one before is thrown away: v86 would
    // write the snapshot over its memory, but leave what is zero in the snapshot as it is, and this
    // kernel counts on zeros in its free memory.
    async restore() {
        this.emulator?.destroy();
        try {
            this.emulator = new this.V86({ ...computer, wasm_path: this.wasm_path, initial_state: { buffer: this.state.slice(0) } });
            await Machine.patiently(new Promise((ready) => this.emulator.add_listener("emulator-ready", ready)));
        } catch (error) {
            if (error instanceof NotHere) throw error;
            throw new NotHere(`This browser cannot give the machine its 256 MiB of memory (${error.message}).`);
        }
        this.shell = new Shell(this.emulator, true);
        for (const [line, terminal] of this.terminals) this.listen(line, terminal);
        // All restored machines have the same random numbers, and an old clock.
        const words = [...crypto.getRandomValues(new Uint32Array(8))].map((word) => word.toString(16));
        await this.shell.run("root", `date -s @${Math.floor(Date.now() / 1000)} >/dev/null; reseed ${words.join(" ")}`);
    }

    static patiently(promise) {
        const late = new Promise((_, reject) => {
            setTimeout(() => reject(new NotHere("The machine did not start within 60 s.")), 60_000);
        });
        const wrong = new Promise((_, reject) => {
            window.addEventListener("unhandledrejection", (event) => reject(event.reason), { once: true });
        });
        return Promise.race([promise, late, wrong]);
    }

    // A terminal on a serial line.
    connect(line, terminal) {
        this.terminals.set(line, terminal);
        this.listen(line, terminal);
        terminal.onData((text) => this.type(line, text));
        terminal.onResize(({ rows, cols }) => this.size(line, rows, cols));
    }

    listen(line, terminal) {
        const decoder = new TextDecoder();
        this.emulator.add_listener(`serial${line}-output-byte`, (byte) =>
            terminal.write(decoder.decode(new Uint8Array([byte]), { stream: true })));
    }

    type(line, text) {
        this.emulator.serial_send_bytes(line, new TextEncoder().encode(text));
    }

    // The shell's prompt once more.
    prompt(line) {
        this.type(line, "\r");
    }

    size(line, rows, columns) {
        return this.shell.run("root", `stty -F /dev/ttyS${line} rows ${rows} cols ${columns}`);
    }
}
