// The book's own script. Without it every page still says the same: transcripts are text,
// the code is open. With it:
//
//  - a transcript's copy button takes the commands, not what they printed;
//  - a transcript with two voices is drawn as two lanes in time;
//  - the chapters' code is closed until a reader opens it, for the whole book at once.

(() => {
    "use strict";

    // A log line: time, role, pid, file:line, message.
    const LOG = /^ *(\+[0-9.]+ms) ([a-z]+)\[([0-9]+)\] +(\S+) +(.*)$/;
    const OUTSIDE = ["parent", "outside", "keeper", "helper"];
    const side = (role) => (OUTSIDE.includes(role) ? "outside" : "inside");

    // What the reader chose, on this and every other page. A browser may refuse to keep it.
    const remember = (key, value) => {
        try { localStorage.setItem(key, value); } catch { /* then it is for this page only */ }
    };
    const remembered = (key) => {
        try { return localStorage.getItem(key); } catch { return null; }
    };

    const element = (name, className, ...children) => {
        const made = document.createElement(name);
        made.className = className;
        made.append(...children);
        return made;
    };

    // A transcript's lines: { kind: "command" | "log" | "output", text, … }. A command goes
    // on in lines that begin with "> ".
    const parse = (text) => {
        let inCommand = false;
        return text.replace(/\n$/, "").split("\n").map((line) => {
            inCommand = /^[$#] /.test(line) || (inCommand && line.startsWith("> "));
            if (inCommand) return { kind: "command", text: line };
            const log = LOG.exec(line);
            if (!log) return { kind: "output", text: line };
            const [, time, role, pid, place, message] = log;
            return { kind: "log", text: line, time, role, pid, place, message };
        });
    };

    const showText = (code, lines) => {
        const pieces = lines.map((line) => {
            const className = line.kind === "log" ? side(line.role) : line.kind;
            return element("span", className, `${line.text}\n`);
        });
        code.replaceChildren(...pieces);
    };

    // Until the command is executed, what is not log is said by neither side; after that
    // it is the command's own output.
    const laneItems = (lines) => {
        const items = [];
        let commandRuns = false;
        for (const line of lines) {
            if (line.kind === "log") {
                if (side(line.role) === "inside" && line.message.startsWith("executing:")) commandRuns = true;
                const who = element("span", "who", element("b", "", line.role), ` ${line.pid} · ${line.time} · ${line.place}`);
                items.push(element("li", side(line.role), who, element("span", "what", line.message)));
                continue;
            }
            if (line.kind === "command") commandRuns = false;
            const className = line.kind === "output" && commandRuns ? "output inside" : `${line.kind} whole`;
            const last = items.at(-1);
            if (last?.className === className) {
                last.firstChild.append(`\n${line.text}`);
            } else {
                items.push(element("li", className, element("pre", "", line.text)));
            }
        }
        return items;
    };

    const choices = [];

    const drawLanes = (pre, lines) => {
        const lanes = element("ol", "lanes", ...laneItems(lines));
        const button = element("button", "");
        button.type = "button";
        const show = (asLanes) => {
            lanes.hidden = !asLanes;
            pre.hidden = asLanes;
            button.textContent = asLanes ? "show as text" : "show as two lanes";
            button.setAttribute("aria-pressed", String(asLanes));
        };
        button.addEventListener("click", () => {
            const asLanes = lanes.hidden;
            remember("book-lanes", asLanes ? "lanes" : "text");
            choices.forEach((choose) => choose(asLanes));
        });
        choices.push(show);
        const bar = element("div", "lane-choice", button);
        const commands = commandsOf(lines);
        if (commands) {
            const copy = element("button", "copy-commands", "copy the command");
            copy.type = "button";
            copy.dataset.clipboardText = commands;
            bar.append(copy);
        }
        pre.before(bar);
        pre.after(lanes);
        show(remembered("book-lanes") !== "text");
    };

    const commandsOf = (lines) =>
        lines.filter((line) => line.kind === "command").map((line) => line.text.slice(2)).join("\n");

    for (const code of document.querySelectorAll("pre > code.language-console")) {
        const pre = code.parentElement;
        const lines = parse(code.textContent);
        showText(code, lines);
        // mdBook's own button would copy the output too.
        const copy = pre.querySelector(".clip-button");
        if (copy) {
            const commands = commandsOf(lines);
            if (commands) {
                copy.classList.replace("clip-button", "copy-commands");
                copy.title = "Copy the commands";
                copy.setAttribute("aria-label", copy.title);
                copy.dataset.clipboardText = commands;
            } else {
                copy.remove();
            }
        }
        const sides = new Set(lines.filter((line) => line.kind === "log").map((line) => side(line.role)));
        if (sides.size === 2) drawLanes(pre, lines);
    }
    if (window.ClipboardJS) new window.ClipboardJS(".copy-commands");

    // The code: closed at first, and then, each fold for itself, as the reader left it.
    document.querySelectorAll("details.answer").forEach((answer, index) => {
        const name = `book-code ${location.pathname} ${index}`;
        answer.open = remembered(name) === "open";
        answer.addEventListener("toggle", () => remember(name, answer.open ? "open" : "closed"));
    });

    // A link into a folded part opens it.
    const unfold = () => {
        const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
        for (let at = target; at; at = at.parentElement) if (at.tagName === "DETAILS") at.open = true;
        if (target) target.scrollIntoView();
    };
    window.addEventListener("hashchange", unfold);
    unfold();

    // Nobody can click on paper.
    let foldedBefore = [];
    window.addEventListener("beforeprint", () => {
        foldedBefore = [...document.querySelectorAll("details:not([open])")];
        foldedBefore.forEach((details) => { details.open = true; });
    });
    window.addEventListener("afterprint", () => foldedBefore.forEach((details) => { details.open = false; }));
})();
