// When are two outputs the same but for names? The patterns are those of the book's own test, and so
// are the rules (tests/transcripts/renaming.rs).

const FIRST_PID_OUTSIDE = 100;

export const renaming = (names) => {
    const pattern = (text) => new RegExp(text, "gm");
    const replaced = names.replaced.map(([text, put]) => [pattern(text), put]);
    const lettered = names.lettered.map(([text, kind]) => [pattern(text), kind]);
    const pids = names.pids.map(pattern);
    const numbers = pattern(`${names.kept}|\\b[0-9]+\\b`);

    // Each value gets a letter, in order of first appearance: A, B, …, Z, and then numbers.
    const letters = (kind) => {
        const given = new Map();
        return (value) => {
            if (!given.has(value)) {
                const next = given.size;
                given.set(value, `${kind}-${next < 26 ? String.fromCharCode(65 + next) : next}`);
            }
            return given.get(value);
        };
    };

    return (text) => {
        let renamed = text.replaceAll("\\t", " ");
        for (const [from, put] of replaced) renamed = renamed.replace(from, put);
        for (const [from, kind] of lettered) {
            const letter = letters(kind);
            renamed = renamed.replace(from, (all, value) => all.replaceAll(value, letter(value)));
        }
        const known = new Set(pids.flatMap((from) => [...renamed.matchAll(from)].map((found) => found[1])));
        const letter = letters("PID");
        return renamed.replace(numbers, (found) =>
            (known.has(found) && Number(found) >= FIRST_PID_OUTSIDE ? letter(found) : found));
    };
};

// What differs between the lines of two texts: { sign: " " | "-" | "+", line }.
export const difference = (one, other) => {
    const [a, b] = [one, other].map((text) => text.split("\n"));
    // How many lines are the same from here to the end.
    const same = Array.from({ length: a.length + 1 }, () => new Array(b.length + 1).fill(0));
    for (let i = a.length - 1; i >= 0; i -= 1) {
        for (let j = b.length - 1; j >= 0; j -= 1) {
            same[i][j] = a[i] === b[j] ? same[i + 1][j + 1] + 1 : Math.max(same[i + 1][j], same[i][j + 1]);
        }
    }
    const lines = [];
    for (let i = 0, j = 0; i < a.length || j < b.length;) {
        if (i < a.length && j < b.length && a[i] === b[j]) {
            lines.push({ sign: " ", line: a[i] });
            i += 1;
            j += 1;
        } else if (i < a.length && (j === b.length || same[i + 1][j] >= same[i][j + 1])) {
            lines.push({ sign: "-", line: a[i] });
            i += 1;
        } else {
            lines.push({ sign: "+", line: b[j] });
            j += 1;
        }
    }
    return lines;
};
