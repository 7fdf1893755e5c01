// A transcript's text, as its file has it: who runs it, and the commands with what they print
// (tests/transcripts/transcript.rs has the format).

const STATUS = /^\[exit status (\d+)\]$/;

export const userOf = (text) => {
    const who = /^as (user|root|both)/.exec(text)[1];
    return who === "root" ? "root" : "you";
};

// The steps: { command, output, status }. A command's lines after the first begin with "> ".
export const stepsOf = (text) => {
    const steps = [];
    for (const line of text.replace(/\n$/, "").split("\n")) {
        const last = steps.at(-1);
        const status = STATUS.exec(line);
        if (/^[$#] /.test(line)) steps.push({ command: line.slice(2), output: "", status: 0 });
        else if (!last) continue;
        else if (line.startsWith("> ") && last.output === "") last.command += `\n${line.slice(2)}`;
        else if (status) last.status = Number(status[1]);
        else last.output += `${line}\n`;
    }
    return steps;
};

// As a terminal shows a command, and what it printed.
export const shown = (user, { command, output, status }) => {
    const prompt = user === "root" ? "# " : "$ ";
    const end = output === "" || output.endsWith("\n") ? output : `${output}\n`;
    return `${prompt}${command.replaceAll("\n", "\n> ")}\n${end}${status ? `[exit status ${status}]\n` : ""}`;
};

// How the last of some steps differs from the page's, up to names; null if it does not. What the
// others printed says which name is which.
export const differs = (rename, difference, user, page, now) => {
    const text = (steps) => rename(steps.map((step) => shown(user, step)).join(""));
    const before = (steps) => steps.slice(0, -1).map((step) => shown(user, step)).join("").split("\n").length - 1;
    const last = (steps) => text(steps).split("\n").slice(before(steps)).join("\n").trimEnd();
    const [written, run] = [last(page), last(now)];
    return written === run ? null : difference(written, run);
};

// What a command printed, without the lines that only this machine's kernel has.
export const withoutItsOwn = (output, own) =>
    (own ? output.split("\n").filter((line) => !line.includes(own)).join("\n") : output);
