// What a reader sees of the machine: the commands of a transcript, each with a button and what came
// of it, and one or two terminals. There is one machine for a page, and it moves to the transcript
// that is asked for.

import { difference, renaming } from "./compare.js";
import { TERMINALS } from "./computer.js";
import { Machine, NotHere, unpacked } from "./machine.js";
import { Records } from "./records.js";
import { differs, shown, withoutItsOwn } from "./transcript.js";

export class Panel {
    constructor({ element, button, names }) {
        Object.assign(this, { element, button, rename: renaming(names), ran: new Map() });
        this.state = element("span", "machine-state");
        this.state.setAttribute("role", "status");
        this.again = button("", "reset", () => this.reset());
        this.second = button("", "second terminal", () => this.addTerminal());
        this.close = button("", "close", () => this.hide());
        this.list = element("ol", "machine-steps");
        this.screens = element("div", "machine-screens");
        this.note = element("p", "machine-note");
        this.root = element("section", "machine",
            element("div", "machine-bar", this.state, this.second, this.again, this.close),
            this.list, this.screens, this.note);
        this.root.setAttribute("aria-label", "Linux in this page");
        this.terminals = [];
    }

    // Puts the machine under a transcript, and starts it if it is not there yet.
    async show(bar, transcript, pre) {
        this.bar?.querySelector("button").removeAttribute("hidden");
        this.bar = bar;
        this.records?.remove();
        this.transcript = transcript;
        this.records = pre && Records.of(pre, this.element);
        bar.querySelector("button").hidden = true;
        this.root.hidden = false;
        bar.after(this.root);
        this.draw();
        if (this.machine) return;
        this.buttons(false);
        if (this.starting) return; // another button was pressed before
        this.starting = true;
        try {
            await this.start();
        } catch (error) {
            this.fail(error);
            return;
        } finally {
            this.starting = false;
        }
        this.buttons(true);
        this.list.querySelector("button")?.focus();
    }

    // A line says why there is no machine; the transcript stays as it was.
    fail(error) {
        if (!(error instanceof NotHere)) throw error;
        this.root.remove();
        this.machine = undefined;
        this.terminals = [];
        this.screens.replaceChildren();
        this.bar.querySelector(".machine-failed")?.remove();
        const failed = this.element("p", "machine-failed", `${error.message} The transcript above shows what the commands print.`);
        failed.setAttribute("role", "alert");
        this.bar.append(failed);
        this.bar.querySelector("button").hidden = false;
    }

    async start() {
        this.say("fetching Linux");
        const module = async (name) => import(await unpacked(name, "text/javascript"));
        const [machine, { Terminal }, { FitAddon }] = await Promise.all([
            Machine.start((text) => this.say(text)), module("xterm.mjs"), module("addon-fit.mjs"), this.style(),
        ]).catch((error) => {
            throw error instanceof NotHere ? error : new NotHere(`The machine does not start: ${error.message}.`);
        });
        Object.assign(this, { machine, Terminal, FitAddon });
        await this.addTerminal();
        this.say("Linux runs");
    }

    style() {
        const link = document.createElement("link");
        link.rel = "stylesheet";
        link.href = new URL("xterm.css", import.meta.url).href;
        return new Promise((loaded) => {
            link.addEventListener("load", loaded);
            link.addEventListener("error", loaded);
            document.head.append(link);
        });
    }

    say(text) {
        this.state.textContent = text;
    }

    buttons(are) {
        for (const one of this.root.querySelectorAll("button")) one.disabled = !are;
        this.close.disabled = false;
        // Also while a command runs: it may have no end.
        this.again.disabled = !this.machine;
        this.second.disabled = !are || this.terminals.length === TERMINALS.length;
    }

    async addTerminal() {
        const line = TERMINALS[this.terminals.length];
        const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
        const terminal = new this.Terminal({
            fontSize: 13, rows: 16, scrollback: 2000, screenReaderMode: true, convertEol: false,
            theme: { background: "#1d1f21", foreground: "#e6e6e6", cursor: colour("--links") || "#e6e6e6" },
        });
        const fit = new this.FitAddon();
        terminal.loadAddon(fit);
        const screen = this.element("div", "machine-screen");
        screen.setAttribute("aria-label", this.terminals.length ? "second terminal" : "terminal");
        screen.setAttribute("role", "group");
        this.screens.append(screen);
        terminal.open(screen);
        // Tab is the shell's; Escape and then Tab leaves the terminal.
        let leaves = false;
        terminal.attachCustomKeyEventHandler((event) => {
            if (event.key === "Tab" && leaves) return false;
            if (event.type === "keydown") leaves = event.key === "Escape";
            event.stopPropagation(); // an arrow would turn the book's page
            return true;
        });
        this.terminals.push({ terminal, line, fit });
        this.machine.connect(line, terminal);
        fit.fit();
        await this.machine.size(line, terminal.rows, terminal.cols);
        this.machine.prompt(line);
        this.second.disabled = this.terminals.length === TERMINALS.length;
        this.resized ??= new ResizeObserver(() => this.terminals.forEach((one) => one.fit.fit()));
        this.resized.observe(screen);
    }

    // The commands of the transcript that is shown, none of them run.
    draw() {
        const typed = "The page types these commands into a shell of its own, without a terminal. What you type goes to yours. ";
        this.note.textContent = `${this.transcript.steps.length ? typed : ""}This emulated computer is 25 to 60 times slower than yours: times differ, the order does not. You are the user “you”; su makes you root, without a password. Escape and then Tab leaves the terminal.`;
        this.rows = this.transcript.steps.map((step) => {
            const command = this.element("code", "", step.command);
            const verdict = this.element("span", "machine-verdict");
            verdict.setAttribute("role", "status");
            const run = this.button("", "run", () => this.run(row));
            run.setAttribute("aria-label", `run ${step.command}`);
            const item = this.element("li", "", this.element("div", "machine-command", command, run), verdict);
            const row = { step, verdict, run, item };
            return row;
        });
        this.list.replaceChildren(...this.rows.map((row) => row.item));
        this.list.hidden = this.rows.length === 0;
    }

    // Runs a command, and those above it that did not run since the machine was reset.
    async run(row) {
        const at = this.rows.indexOf(row);
        const { name, user, before } = this.transcript;
        const first = this.rows[0].step;
        const wanted = [...before, ...this.rows.slice(0, at + 1).map((one) => one.step)];
        const known = this.ran.get(name);
        // Another command than the next begins the transcript anew.
        const isNext = known && known.page.length === wanted.length - 1;
        const ran = isNext ? known : { page: [], now: [] };
        this.ran.set(name, ran);
        this.buttons(false);
        for (const step of wanted.slice(ran.page.length)) {
            const other = this.rows.find((one) => one.step === step);
            other?.verdict.replaceChildren("runs …");
            const now = await this.type(user, step, step === first);
            ran.page.push(step);
            ran.now.push(now);
            if (other) this.judge(other, ran, user);
        }
        this.buttons(true);
        this.rows[at + 1]?.run.focus();
    }

    // Types a command as the page does, into the page's shell, and shows it on the first terminal.
    async type(user, step, isFirst) {
        const { terminal, line } = this.terminals[0];
        const write = (text) => terminal.write(text.replaceAll("\n", "\r\n"));
        const { records } = this;
        records?.begin(step.command, isFirst);
        write(`\r\x1b[2K${shown(user, { ...step, output: "", status: 0 })}`);
        let written = 0;
        const heard = (text) => {
            const output = records ? records.text(text) : text;
            records?.draw(text);
            write(output.slice(written));
            written = output.length;
        };
        const ended = await this.machine.shell.run(user, step.command, { form: records ? "json" : "text", heard });
        heard(ended.output);
        this.machine.prompt(line);
        const whole = records ? records.whole(ended.output) : ended.output;
        const output = withoutItsOwn(whole, this.transcript.own);
        return { command: step.command, output, status: ended.status, hasMore: output !== whole };
    }

    judge({ verdict, item }, { page, now }, user) {
        item.querySelector("pre")?.remove();
        const written = this.records ? this.records.written(page) : page;
        const lines = differs(this.rename, difference, user, written, now);
        if (!lines) {
            verdict.replaceChildren(now.at(-1).hasMore
                ? "the same as on the page, but for a line that only an older kernel has"
                : "the same as on the page");
            verdict.dataset.is = "same";
            return;
        }
        verdict.replaceChildren("not the same as on the page: − there, + here");
        verdict.dataset.is = "different";
        item.append(this.element("pre", "machine-difference", ...lines.map(({ sign, line }) =>
            this.element("span", { "-": "gone", "+": "new" }[sign] ?? "", `${sign === "-" ? "−" : sign} ${line}\n`))));
    }

    async reset() {
        this.buttons(false);
        this.again.disabled = true;
        this.say("starting anew");
        this.ran.clear();
        try {
            await this.machine.restore();
        } catch (error) {
            this.fail(error);
            return;
        }
        for (const { terminal, line } of this.terminals) {
            terminal.reset();
            await this.machine.size(line, terminal.rows, terminal.cols);
            this.machine.prompt(line);
        }
        this.records?.remove();
        this.draw();
        this.buttons(true);
        this.say("Linux runs, as it was at first");
    }

    hide() {
        this.root.hidden = true;
        const opener = this.bar.querySelector("button");
        opener.hidden = false;
        opener.focus();
    }
}
