// The page's shells in the machine: commands go to them and come back with what they printed and
// their exit status (guest/page, guest/shell).

import { END, PAGE } from "./computer.js";

export class Shell {
    // `isRestored`: it has been waiting for commands since before the snapshot.
    constructor(emulator, isRestored) {
        this.emulator = emulator;
        this.bytes = [];
        this.mark = null; // the bytes after END, up to the newline
        this.last = isRestored ? Promise.resolve() : new Promise((ready) => { this.ended = ready; });
        emulator.add_listener(`serial${PAGE}-output-byte`, (byte) => this.take(byte));
    }

    take(byte) {
        if (this.mark) {
            if (byte !== 10) {
                this.mark.push(byte);
                return;
            }
            const status = Number(String.fromCharCode(...this.mark));
            this.mark = null;
            this.ended({ output: this.text(), status });
        } else if (byte === END) {
            this.mark = [];
        } else {
            this.bytes.push(byte);
            if (byte === 10) this.heard?.(this.text());
        }
    }

    text() {
        return new TextDecoder().decode(new Uint8Array(this.bytes));
    }

    // Runs a command as a user, after those before it; `heard` gets what has been printed so far, at
    // each line.
    run(user, command, { form = "text", heard } = {}) {
        const encode = (text) => new TextEncoder().encode(text);
        this.last = this.last.then(() => new Promise((ended) => {
            Object.assign(this, { bytes: [], heard, ended });
            const base64 = btoa(String.fromCharCode(...encode(command)));
            this.emulator.serial_send_bytes(PAGE, encode(`${user} ${form} ${base64}\n`));
        }));
        return this.last;
    }
}
