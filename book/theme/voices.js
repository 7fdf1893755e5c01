// The book's own script. Without it every page still says the same: transcripts are text,
// the code is open. With it:
//
//  - a transcript's copy button takes the commands, not what they printed;
//  - a transcript with several voices is a diagram that you can step through (stepper.js);
//  - the chapters' code is closed until a reader opens it, for the whole book at once.

(() => {
    "use strict";

    // A log line: time, role, pid, message and place.
    const LOG = /^ *(\+[0-9][0-9a-z.]*) ([a-z]+)\[([0-9]+)\] +(.*?)(?: {2,}(\d\d-\S+::\S+))?$/;
    const { side } = window.towerRecords;

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
            return { kind: "log", text: line, role: log[2] };
        });
    };

    const showText = (code, lines) => {
        const pieces = lines.map((line) => {
            const className = line.kind === "log" ? side(line.role) : line.kind;
            return element("span", className, `${line.text}\n`);
        });
        code.replaceChildren(...pieces);
    };

    const choices = [];

    // The diagram in place of the text, and a button to change between the two for the whole book.
    const drawSteps = (pre, lines, records) => {
        const begins = lines.findIndex((line) => line.kind === "command");
        const ends = lines.findIndex((line, index) => index > begins && !/^> /.test(line.text));
        const first = begins < 0 ? undefined : lines.slice(begins, ends < 0 ? undefined : ends).map((line) => line.text).join("\n");
        const logged = lines.filter((line) => line.kind === "log").length;
        const stepper = window.towerStepper.make(records, first, logged);
        const button = element("button", "");
        button.type = "button";
        const everyLine = stepper.choice();
        const show = (asText) => {
            stepper.root.hidden = asText;
            pre.hidden = !asText;
            everyLine.forEach((box) => { box.hidden = asText; });
            button.textContent = "as text";
            button.setAttribute("aria-pressed", String(asText));
        };
        button.addEventListener("click", () => {
            const asText = pre.hidden;
            remember("book-steps", asText ? "text" : "diagram");
            choices.forEach((choose) => choose(asText));
        });
        choices.push(show);
        const bar = element("div", "steps-choice", ...everyLine, button);
        const commands = commandsOf(lines);
        if (commands) {
            const copy = element("button", "copy-commands", "copy the command");
            copy.type = "button";
            copy.dataset.clipboardText = commands;
            bar.append(copy);
        }
        pre.before(bar);
        pre.after(stepper.root);
        show(remembered("book-steps") === "text");
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
        const records = pre.nextElementSibling;
        if (records?.matches("script.records")) drawSteps(pre, lines, records.textContent);
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
