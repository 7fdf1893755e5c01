// How a run looks: a row for each step, lifelines with what goes on between them, and a card for
// each process. What the reader does with it is in stepper.js.

window.towerLifelines = (() => {
    "use strict";

    const element = (name, className, ...children) => {
        const made = document.createElement(name);
        if (className) made.className = className;
        made.append(...children);
        return made;
    };

    const button = (className, label, text) => {
        const made = element("button", className, text);
        made.type = "button";
        made.setAttribute("aria-label", label);
        return made;
    };

    // As in the log: +0.41ms, +12.3ms, +1.24s, +3m01s.
    const clock = (milliseconds) => {
        const digits = (value) => value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0);
        if (milliseconds < 1000) return `+${digits(milliseconds)}ms`;
        if (milliseconds < 60_000) return `+${digits(milliseconds / 1000)}s`;
        const seconds = Math.round(milliseconds / 1000);
        return `+${Math.floor(seconds / 60)}m${String(seconds % 60).padStart(2, "0")}s`;
    };

    // A place in the code is a link where the page shows that function.
    const link = (place) => {
        const [, chapter, name] = /^([0-9]{2}-[^:]+)::(\w+)$/.exec(place ?? "") ?? [];
        const isHere = chapter && location.pathname.endsWith(`/${chapter}.html`);
        const code = isHere && [...document.querySelectorAll("pre > code.language-rust")]
            .find((one) => new RegExp(`\\bfn ${name}\\b`).test(one.textContent));
        if (!code) return element("span", "place", place ?? "");
        const title = [...code.querySelectorAll(".hljs-title")].find((one) => one.textContent === name);
        const target = title ?? code.parentElement;
        target.id ||= `fn-${name}`;
        const made = element("a", "place", place);
        made.href = `#${target.id}`;
        return made;
    };

    // The lifelines beside one step, and what goes on between them.
    const lanes = (run, step, from, at, marks) => {
        const column = (process) => run.processes.indexOf(process);
        const gutter = element("span", "lifelines");
        gutter.setAttribute("aria-hidden", "true");
        const put = (className, process) => {
            const made = element("span", className);
            made.style.setProperty("--column", column(process));
            if (process) made.dataset.side = process.side;
            gutter.append(made);
            return made;
        };
        for (const process of run.processes) {
            if (at < process.born || from > process.ended) continue;
            const begins = from <= process.born && process.born > 0;
            const ends = at >= process.ended;
            const waits = at < process.first;
            put(`life${begins ? " begins" : ""}${ends ? " ends" : ""}${waits ? " waits" : ""}`, process);
        }
        for (const mark of marks) {
            if (mark.at) {
                put(`mark ${mark.kind}`, mark.at);
                continue;
            }
            const arrow = put(`arrow ${mark.kind} ${column(mark.from) < column(mark.to) ? "right" : "left"}`, mark.from);
            arrow.style.setProperty("--column", Math.min(column(mark.from), column(mark.to)));
            arrow.style.setProperty("--length", Math.abs(column(mark.from) - column(mark.to)));
        }
        if (step.kind === "record") put("dot", step.by);
        return gutter;
    };

    const row = (run, step, from, at, marks) => {
        const made = element("li", `step ${step.kind}`);
        if (step.by) made.dataset.side = step.by.side;
        if (step.level === "error" || step.level === "warn") made.classList.add(step.level);
        if (step.kind === "command") {
            made.append(element("pre", "what", step.text));
            return made;
        }
        if (run.processes.length) made.append(lanes(run, step, from, at, marks));
        if (step.kind === "output") {
            made.append(element("pre", "what", step.text));
            return made;
        }
        const who = element("span", "who", element("b", "", step.role), `[${step.pid}]`);
        made.append(element("span", "line", who, " ", element("span", "what", step.message), " ",
            element("span", "meta", clock(step.elapsed_ms), " ", link(step.place))));
        return made;
    };

    // What stands above the lifelines of a run.
    const heads = (run) => {
        const made = element("li", "heads");
        made.setAttribute("aria-hidden", "true");
        for (const process of run.processes) {
            const head = element("span", "head", process.role);
            head.style.setProperty("--column", run.processes.indexOf(process));
            head.dataset.side = process.side;
            made.append(head);
        }
        return made;
    };

    const STATES = { later: "not there yet", silent: "there, and has not spoken yet", there: "", ended: "has ended" };
    const ROWS = ["program", "pid", "user", "capabilities", "hostname", "root", "network", "cgroup", "namespaces"];

    const card = (process, names) => {
        const state = element("span", "state");
        const list = element("dl", "");
        const values = new Map(names.map((name) => {
            const value = element("dd", "");
            list.append(element("dt", "", name), value);
            return [name, value];
        }));
        const made = element("section", "card", element("p", "name", process.name, " ", state), list);
        made.dataset.side = process.side;
        made.setAttribute("aria-label", `what ${process.name} is`);
        return { made, state, values };
    };

    // Fills a card, and lights what has changed: compared with the step before, or, for a new
    // process, with the one that cloned it.
    const fill = ({ made, state, values }, process, after, before) => {
        const now = after.get(process);
        const isNew = now.state === "there" && !["there", "ended"].includes(before?.get(process).state);
        const compared = isNew ? before?.get(process.parent)?.rows : before?.get(process).rows;
        made.dataset.state = now.state;
        made.classList.toggle("new", isNew);
        state.textContent = now.state === "ended" && process.how ? `ended with ${process.how}` : STATES[now.state];
        for (const [name, value] of values) {
            const text = now.rows[name] ?? "–";
            const has = now.state === "there" && compared && (compared[name] ?? "–") !== text;
            value.replaceChildren(has ? element("mark", "", text) : text);
        }
    };

    return { element, button, row, heads, card, fill, link, clock, ROWS };
})();
