// Do the diagrams say what their records say? The checks run in the page. They read the records
// themselves, and use none of the book's own scripts.

// Each step against its record: how many, in which order, who, what, where; and at each step the
// cards, with values that are put together here from all records up to it.
export function steps() {
    const wrong = [];
    const scripts = [...document.querySelectorAll("script.records")];
    for (const script of scripts) {
        let stepper = script.previousElementSibling;
        const pre = script.parentElement.querySelector("pre") && (() => {
            for (let at = stepper; at; at = at.previousElementSibling) if (at.matches("pre")) return at;
        })();
        if (!stepper?.matches(".stepper")) {
            wrong.push(`no diagram of: ${script.textContent.slice(0, 80)}`);
            continue;
        }
        const name = stepper.querySelector(".command")?.textContent ?? script.textContent.slice(0, 80);
        const no = (what) => wrong.push(`${what}, in the diagram of: ${name}`);

        // What is expected: one after the other, the command's number with each.
        const all = script.textContent.trim().split("\n").map((line) => JSON.parse(line));
        const commands = pre.textContent.split(/\n(?!> )/).filter((line) => /^[$#] /.test(line));
        const start = Math.max(all.findIndex((line) => line.command === commands[0]), 0);
        const box = stepper.previousElementSibling.previousElementSibling?.querySelector(".every-line input");
        const expected = [];
        let run = 0;
        for (const line of all.slice(start)) {
            const last = expected.at(-1);
            const isOutput = line.output !== undefined;
            const isStatus = isOutput && /^\[exit status [0-9]+\]$/.test(line.output);
            if (line.command !== undefined) run += 1;
            if (isOutput && !isStatus && last?.output !== undefined) last.output += `\n${line.output}`;
            else expected.push({ ...line, run });
        }
        const hidden = (line) => line.level === "debug" && box && !box.checked;
        const visible = expected.filter((line) => !hidden(line));

        // The rows.
        const rows = [...stepper.querySelectorAll("ol.steps > li.step")];
        if (rows.length !== visible.length) {
            no(`${rows.length} steps for ${visible.length} records`);
            continue;
        }
        const text = (row, what) => row.querySelector(what)?.textContent ?? "";
        rows.forEach((row, index) => {
            const line = visible[index];
            const said = line.command ?? line.output ?? line.message;
            if (text(row, ".what") !== said) no(`step ${index + 1} is "${text(row, ".what")}", the record "${said}"`);
            if (line.message === undefined) return;
            if (text(row, ".who") !== `${line.role}[${line.pid}]`) no(`step ${index + 1} is by ${text(row, ".who")}`);
            if (text(row, ".place") !== (line.place ?? "")) no(`step ${index + 1} is at ${text(row, ".place")}`);
            for (const [message, mark] of [[/^clon(ing|ed)\b/, "clone"], [/^opening the gate/, "gate"], [/^joined\b/, "crossing"],
                [/^executing: /, "execve"], [/^[0-9]+ ended with /, "end"], [/^from run:/, "message"]]) {
                if (message.test(line.message) && !row.querySelector(`.lifelines .${mark}`)) no(`"${line.message}" has no ${mark}`);
            }
        });

        // Each moment, with the slider.
        const slider = stepper.querySelector("input[type=range]");
        const before = slider.value;
        visible.forEach((line, index) => {
            slider.value = index + 1;
            slider.dispatchEvent(new Event("input"));
            const count = stepper.querySelector(".count").textContent;
            if (count !== `${index + 1} of ${visible.length}`) no(`"${count}" at step ${index + 1}`);
            const current = stepper.querySelectorAll("li[aria-current=step]");
            if (current.length !== 1 || current[0] !== rows[index]) no(`step ${index + 1} is not marked`);
            const say = stepper.querySelector(".say").textContent;
            const told = [line.message ?? line.command ?? line.output, line.place ?? ""];
            if (!told.every((part) => say.includes(part))) no(`at step ${index + 1} it says "${say}"`);
            const until = expected.slice(0, expected.indexOf(line) + 1);
            const mine = until.filter((one) => one.run === line.run);
            // A run without a record shows no cards of its own.
            if (!expected.some((one) => one.run === line.run && one.now)) return;
            wrongCards(stepper, mine, expected.filter((one) => one.run === line.run)).forEach((what) => no(`step ${index + 1}: ${what}`));
        });
        slider.value = before;
        slider.dispatchEvent(new Event("input"));
    }
    return { wrong, count: scripts.length };

    function wrongCards(stepper, until, run) {
        const found = [];
        const who = (line) => `${line.role}[${line.pid}]`;
        const first = run.find((line) => line.now?.namespaces)?.now.namespaces ?? {};
        const speakers = new Set(run.filter((line) => line.now).map(who));
        const cards = [...stepper.querySelectorAll(".card")];
        if (cards.length !== speakers.size) found.push(`${cards.length} cards for ${speakers.size} processes`);
        for (const speaker of speakers) {
            const card = cards.find((one) => one.getAttribute("aria-label") === `what ${speaker} is`);
            if (!card) {
                found.push(`no card of ${speaker}`);
                continue;
            }
            const now = {};
            for (const line of until.filter((one) => one.now && who(one) === speaker)) {
                for (const [name, value] of Object.entries(line.now)) if (name !== "outside" || value !== null) now[name] = value;
                const program = line.message.match(/^executing: ('.*?'|[^ ]+)/)?.[1];
                if (program) now.program = program;
            }
            const should = words(now, first);
            const shown = {};
            card.querySelectorAll("dt").forEach((name) => { shown[name.textContent] = name.nextElementSibling.textContent; });
            for (const name of new Set([...Object.keys(should), ...Object.keys(shown)])) {
                if ((should[name] ?? "–") !== (shown[name] ?? "–")) found.push(`${name} of ${speaker} is "${shown[name]}", and should be "${should[name] ?? "–"}"`);
            }
        }
        // What is lit is new: it is in this record, or the process is.
        const last = until.at(-1);
        const lit = cards.flatMap((card) => [...card.querySelectorAll("mark")].map((mark) => [card.getAttribute("aria-label"), mark.parentElement.previousElementSibling.textContent]));
        for (const [label, name] of lit) {
            const isOfLast = last.now && label === `what ${who(last)} is`;
            const box = stepper.previousElementSibling.previousElementSibling?.querySelector(".every-line input");
            if (!isOfLast && (!box || box.checked)) found.push(`${name} is lit, ${label}, and nothing new was said of it`);
        }
        return found;
    }

    function words(now, first) {
        const said = {};
        if (now.program) said.program = now.program;
        if (now.pid) said.pid = now.outside ? `${now.pid} inside, ${now.outside} outside` : `${now.pid}`;
        if (now.uid !== undefined) said.user = `uid ${now.uid}${now.uid === 0 ? " (root)" : now.uid === 65534 ? " (nobody)" : ""}, gid ${now.gid}`;
        if (now.capabilities !== undefined) said.capabilities = `${now.capabilities}`;
        if (now.hostname) said.hostname = now.hostname;
        const others = "not the host’s";
        if (now.root) said.root = now.root.same ? "the host’s" : now.root.type ? `${others}: ${now.root.type}` : others;
        if (now.network) said.network = now.network.same ? "the host’s" : `${others}, lo is ${now.network.lo}`;
        if (now.cgroup) said.cgroup = now.cgroup;
        if (now.namespaces === null) said.namespaces = "not to be read from here";
        if (now.namespaces) {
            const kinds = [["user", "user"], ["mnt", "mount"], ["pid", "PID"], ["uts", "UTS"], ["ipc", "IPC"], ["net", "network"], ["cgroup", "cgroup"]];
            const own = kinds.filter(([kind]) => now.namespaces[kind] !== first[kind]).map(([, name]) => name);
            said.namespaces = own.length > 0 ? `${others}: ${own.join(", ")}` : "the host’s";
        }
        return said;
    }
}

// Every word of a diagram stands out from what is behind it, and nothing in it leaves it.
export function legible() {
    const wrong = [];
    const parts = (colour) => colour.match(/[\d.]+/g).map(Number);
    const luminance = (colour) => {
        const [r, g, b] = parts(colour).slice(0, 3).map((value) => (value / 255 <= 0.03928 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4));
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const behind = (element) => {
        for (let at = element; at; at = at.parentElement) {
            const colour = getComputedStyle(at).backgroundColor;
            if (colour !== "transparent" && (parts(colour)[3] ?? 1) === 1) return colour;
        }
        return "rgb(255, 255, 255)";
    };
    for (const stepper of document.querySelectorAll(".stepper")) {
        for (const element of stepper.querySelectorAll("*")) {
            const hasWords = [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.textContent.trim());
            const box = element.getBoundingClientRect();
            if (!hasWords || box.width === 0 || element.disabled) continue;
            const [light, dark] = [luminance(getComputedStyle(element).color), luminance(behind(element))].sort((a, b) => b - a);
            const ratio = (light + 0.05) / (dark + 0.05);
            if (ratio < 4.5) wrong.push(`does not stand out (${ratio.toFixed(1)}): "${element.textContent}" ${element.className}`);
            const frame = stepper.getBoundingClientRect();
            if (box.left < frame.left - 1 || box.right > frame.right + 1) wrong.push(`leaves the diagram: "${element.textContent}"`);
        }
    }
    return wrong;
}
