// A run with several voices, drawn while it goes on: a stepper beside the page's own, from the
// records of the run in the machine (`LAB_LOG=json`).

const isRecord = (line) => line.startsWith('{"elapsed_ms":');

// A record as a line of the log, in its columns.
const asText = (record) => {
    const time = window.towerLifelines.clock(record.elapsed_ms);
    const who = `${record.role}[${record.pid}]`;
    return `${time.padStart(8)} ${who.padEnd(15)} ${record.message.padEnd(58)}  ${record.place}`;
};

export class Records {
    // `pre` is a transcript's block, and its stepper stands right after it.
    constructor(pre, stepper, text, element) {
        Object.assign(this, { stepper, element, lines: [] });
        this.shown = pre.textContent.split("\n").filter((line) => /^ *\+[0-9]/.test(line)).length;
        this.page = [];
        for (const line of text.trim().split("\n").map((one) => JSON.parse(one))) {
            if (line.command !== undefined) this.page.push({ command: line.command.slice(2).replaceAll("\n> ", "\n"), output: "", status: 0 });
            else this.add(this.page.at(-1), line);
        }
        const every = this.page.reduce((count, step) => count + (step.records ?? 0), 0);
        this.everything = every === this.shown;
    }

    // Of a transcript's block, where a diagram stands for it.
    static of(pre, element) {
        const stepper = pre.nextElementSibling;
        const isDrawn = stepper?.matches(".stepper:not([hidden])");
        const script = isDrawn ? stepper.nextElementSibling : undefined;
        return script?.matches("script.records") ? new Records(pre, stepper, script.textContent, element) : undefined;
    }

    add(step, line) {
        const status = /^\[exit status (\d+)\]$/.exec(line.output ?? "");
        if (status) step.status = Number(status[1]);
        else if (line.output !== undefined) step.output += `${line.output}\n`;
        else {
            step.output += `${asText(line)}\n`;
            step.records = (step.records ?? 0) + 1;
        }
    }

    // The page's steps, as these records are text.
    written(steps) {
        return steps.map((step, at) => this.page[at] ?? step);
    }

    // What a command printed, as text. Where a machine's cgroups are, the page's records do not say.
    whole(output) {
        return output.replace(/\/sys\/fs\/cgroup\/(?:[^\s"]*\/)?container-/g, "…/container-").replace(/^.*$/gm, (line) => (isRecord(line) ? asText(JSON.parse(line)) : line));
    }

    // Of that, what the page's text shows.
    text(output) {
        const kept = output.split("\n").filter((line) => this.everything || !isRecord(line) || JSON.parse(line).level !== "debug");
        return this.whole(kept.join("\n"));
    }

    // A command begins: the transcript's first one begins a new diagram.
    begin(command, isFirst) {
        const typed = `$ ${command.replaceAll("\n", "\n> ")}`;
        if (isFirst) this.remove();
        this.first = this.lines.length === 0 ? typed : this.first;
        this.command = JSON.stringify({ command: typed });
        this.before = [...this.lines];
    }

    // What it has printed so far.
    draw(output) {
        const lines = output.split("\n").slice(0, -1).map((line) => (isRecord(line) ? line : JSON.stringify({ output: line })));
        this.lines = [...this.before, this.command, ...lines];
        const live = window.towerStepper.make(this.lines.join("\n"), this.first, this.everything ? Infinity : 0);
        live.go(Infinity);
        live.root.classList.add("live");
        live.root.setAttribute("aria-label", "the run in this page, step by step");
        live.root.prepend(this.element("p", "live-title", "The run in this page"));
        if (this.live) this.live.replaceWith(live.root);
        else this.stepper.after(live.root);
        this.live = live.root;
    }

    remove() {
        this.live?.remove();
        this.live = undefined;
        this.lines = [];
    }
}
