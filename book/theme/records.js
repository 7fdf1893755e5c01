// From the records of a transcript to the steps of its diagram. No line here touches the page.
//
// A step is { kind: "command" | "output" | "record", text, … }. A record's step also has the
// process that wrote it, and `marks`, what is drawn there: a clone, a gate, a message, an end
// (arrows from one process to another), an execve (a bar), a crossing into other namespaces.

window.towerRecords = (() => {
    "use strict";

    const SIDES = {
        parent: "outside", outside: "outside", keeper: "outside",
        child: "inside", inside: "inside", init: "inside",
    };
    const side = (role) => SIDES[role] ?? "third";
    // From left to right: who was there first.
    const RANK = ["parent", "outside", "keeper", "helper"];
    const rank = (role) => (RANK.indexOf(role) + 1 || RANK.length + 1);

    const KINDS = { user: "user", mnt: "mount", pid: "PID", uts: "UTS", ipc: "IPC", net: "network", cgroup: "cgroup" };

    // Lines of JSON, from the command `first` on if one is named: a page can show a part.
    const parse = (text, first) => {
        const lines = text.trim().split("\n").map((line) => JSON.parse(line));
        const start = lines.findIndex((line) => line.command === first);
        return start > 0 ? lines.slice(start) : lines;
    };

    // One command, what it printed, and the processes that spoke.
    class Run {
        constructor() {
            this.steps = [];
            this.processes = [];
            this.pending = []; // clones whose child has not spoken yet
        }

        process(record) {
            const name = `${record.role}[${record.pid}]`;
            const known = this.processes.find((one) => one.name === name);
            if (known) return known;
            const made = {
                name, role: record.role, side: side(record.role), ids: [record.pid, record.now.outside],
                first: this.steps.length, born: this.steps.length, ended: Infinity, parent: null,
            };
            if (made.role === "parent") made.born = 0;
            this.processes.push(made);
            this.claim(made, record);
            return made;
        }

        // Which clone was this process's? One whose new namespaces it is in. The cloner may have told
        // the child's pid since; in another PID namespace the child may not know it.
        claim(made, { now }) {
            const others = (clone) => clone.by !== made && clone.kinds.every((kind) => isNew(clone, kind));
            const isNew = ({ by }, kind) => !by.namespaces || now.namespaces?.[kind] !== by.namespaces[kind];
            const cannotTell = now.outside === undefined && now.namespaces?.pid !== this.baseline?.pid;
            const clone = this.pending.findLast((one) => others(one) && made.ids.includes(one.pid))
                ?? this.pending.findLast((one) => others(one) && (one.pid === undefined || cannotTell));
            if (!clone) return;
            this.pending.splice(this.pending.indexOf(clone), 1);
            if (cannotTell) made.ids.push(clone.pid);
            made.parent = clone.by;
            made.born = clone.at;
            this.steps[clone.at].marks.push({ kind: "clone", from: clone.by, to: made });
        }

        named(pid) {
            return this.processes.findLast((one) => one.ids.includes(pid));
        }

        add(record) {
            this.baseline ??= record.now.namespaces; // where the first process was
            const by = this.process(record);
            const isNew = this.steps.length === by.first;
            if (record.now.namespaces) by.namespaces = record.now.namespaces;
            const step = { kind: "record", by, ...record, text: record.message, marks: [] };
            if (record.now.program !== undefined && !isNew) step.marks.push({ kind: "execve", at: by });
            this.steps.push(step);
            this.mark(step, this.steps.length - 1);
        }

        mark(step, at) {
            const { by, message, marks } = step;
            const told = /(?:\b(?:of|for|INIT is|cloned INIT:)) ([0-9]+)\b/.exec(message);
            const pid = told ? Number(told[1]) : undefined;
            const clone = this.pending.findLast((one) => one.by === by && one.pid === undefined);
            if (/^clon(ing|ed)\b|\bis a child$/.test(message)) {
                const named = /^cloning.*: (.*)/.exec(message)?.[1].split(", ") ?? [];
                const kinds = Object.keys(KINDS).filter((kind) => named.includes(KINDS[kind]));
                this.pending.push({ by, at, pid, kinds });
            }
            if (pid !== undefined && clone) clone.pid = pid;
            if (pid !== undefined) by.means = pid;
            if (/^opening the gate/.test(message)) marks.push({ kind: "gate", from: by, toPid: by.means });
            if (/^for init:/.test(message)) this.sender = by;
            if (/^from run:/.test(message) && this.sender) marks.push({ kind: "message", from: this.sender, to: by });
            if (/from PARENT:/.test(message)) marks.push({ kind: "message", fromRole: "parent", to: by });
            if (/\breporting that\b/.test(message)) marks.push({ kind: "message", from: by, toRole: "parent" });
            if (/\band ending$/.test(message)) by.ended = at;
            if (/^joined\b/.test(message)) marks.push({ kind: "crossing", at: by });
            if (/^executing: /.test(message)) marks.push({ kind: "execve", at: by });
            const end = /(?:^|, )([0-9]+),? ended with (.+)$/.exec(message);
            const ended = end && this.named(Number(end[1]));
            if (ended && ended !== by) {
                ended.ended = at;
                ended.how = end[2];
                marks.push({ kind: "end", from: ended, to: by });
            }
        }

        // Who is meant by a pid or a role may have spoken later only.
        finish() {
            const child = (parent) => this.processes.findLast((one) => one.parent === parent);
            const role = (name) => this.processes.find((one) => one.role === name);
            for (const step of this.steps) {
                for (const mark of step.marks ?? []) {
                    if (mark.fromRole) mark.from = role(mark.fromRole);
                    if (mark.toRole) mark.to = role(mark.toRole);
                    if (mark.kind === "gate") mark.to = this.named(mark.toPid) ?? child(mark.from);
                }
                if (step.marks) step.marks = step.marks.filter((mark) => mark.at || (mark.from && mark.to));
            }
            this.processes.sort((one, other) => rank(one.role) - rank(other.role));
        }
    }

    // The runs of the lines, one a command.
    const runs = (lines) => {
        const all = [];
        for (const line of lines) {
            if (line.command !== undefined || all.length === 0) all.push(new Run());
            const run = all.at(-1);
            const last = run.steps.at(-1);
            if (line.command !== undefined) run.steps.push({ kind: "command", text: line.command, marks: [] });
            else if (line.output === undefined) run.add(line);
            else if (last?.kind === "output" && !line.output.startsWith("[exit status ")) last.text += `\n${line.output}`;
            else {
                const executed = run.steps.findLast((step) => /^executing: /.test(step.message ?? ""));
                const isShells = line.output.startsWith("[exit status ");
                run.steps.push({ kind: "output", text: line.output, by: isShells ? undefined : executed?.by, marks: [] });
            }
        }
        all.forEach((run) => run.finish());
        return all;
    };

    // The state of a process, as a reader reads it: name → text.
    const shown = (now, baseline) => {
        const known = (name) => now[name] !== undefined && now[name] !== null;
        const rows = {};
        if (known("program")) rows.program = now.program;
        rows.pid = known("outside") ? `${now.pid} inside, ${now.outside} outside` : String(now.pid);
        const called = { 0: " (root)", 65534: " (nobody)" }[now.uid] ?? "";
        if (known("uid")) rows.user = `uid ${now.uid}${called}, gid ${now.gid}`;
        if (known("capabilities")) rows.capabilities = String(now.capabilities);
        if (known("hostname")) rows.hostname = now.hostname;
        if (known("root")) rows.root = now.root.same ? "the host’s" : `not the host’s${now.root.type ? `: ${now.root.type}` : ""}`;
        if (known("network")) rows.network = now.network.same ? "the host’s" : `not the host’s, lo is ${now.network.lo}`;
        if (known("cgroup")) rows.cgroup = now.cgroup;
        if (now.namespaces === null) rows.namespaces = "not to be read from here";
        else if (known("namespaces")) {
            const own = Object.keys(KINDS).filter((kind) => now.namespaces[kind] !== baseline[kind]);
            rows.namespaces = own.length ? `not the host’s: ${own.map((kind) => KINDS[kind]).join(", ")}` : "the host’s";
        }
        return rows;
    };

    // For each step of a run, what each process is after it: { rows, changed, state }.
    const states = (run) => {
        const baseline = run.baseline ?? {};
        const nows = new Map(run.processes.map((one) => [one, {}]));
        const rows = new Map();
        return run.steps.map((step, at) => {
            if (step.kind === "record") {
                const now = nows.get(step.by);
                const { outside } = now;
                Object.assign(now, step.now);
                // A pid outside stays, even if /proc shows it no more.
                if (now.outside === null) now.outside = outside;
                const executed = /^executing: ('.*?'|\S+)/.exec(step.message);
                if (executed) now.program = executed[1];
                rows.set(step.by, shown(now, baseline));
            }
            return new Map(run.processes.map((one) => [one, {
                rows: rows.get(one) ?? {},
                state: at < one.born ? "later" : at < one.first ? "silent" : at >= one.ended ? "ended" : "there",
            }]));
        });
    };

    return { parse, runs, states, side };
})();
