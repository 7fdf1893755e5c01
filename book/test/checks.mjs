// What must hold on a page. Each check runs in the page, and returns what does not hold.

// A drawing is drawn, its words lie inside it, can be read at this size, and stand out
// from the page.
export function drawings() {
    const wrong = [];
    const luminance = (colour) => {
        const [r, g, b] = colour.match(/[\d.]+/g).slice(0, 3).map((value) => {
            const part = value / 255;
            return part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
        });
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const contrast = (one, other) => {
        const [light, dark] = [luminance(one), luminance(other)].sort((a, b) => b - a);
        return (light + 0.05) / (dark + 0.05);
    };
    const paper = getComputedStyle(document.documentElement).backgroundColor;
    for (const svg of document.querySelectorAll("figure.drawing svg")) {
        const name = svg.querySelector("title")?.textContent ?? "a drawing without a title";
        const frame = svg.getBoundingClientRect();
        if (frame.width < 200 || frame.height < 80) wrong.push(`not drawn: ${name}`);
        if (frame.right > document.documentElement.clientWidth) wrong.push(`wider than the page: ${name}`);
        const words = [...svg.querySelectorAll("text")].filter((text) => text.textContent.trim());
        if (words.length === 0) wrong.push(`no words in: ${name}`);
        const boxes = words.map((text) => text.getBoundingClientRect());
        words.forEach((text, index) => {
            const box = boxes[index];
            const size = parseFloat(getComputedStyle(text).fontSize) * (frame.width / svg.viewBox.baseVal.width);
            const said = `"${text.textContent}" of: ${name}`;
            const out = box.left < frame.left - 1 || box.right > frame.right + 1 || box.top < frame.top - 1 || box.bottom > frame.bottom + 1;
            if (out) wrong.push(`leaves the drawing: ${said}`);
            if (size < 9.5) wrong.push(`too small to read (${size.toFixed(1)} px): ${said}`);
            const ratio = contrast(getComputedStyle(text).fill, paper);
            if (ratio < 4.5) wrong.push(`does not stand out (${ratio.toFixed(1)}): ${said}`);
            for (let other = 0; other < index; other++) {
                const against = boxes[other];
                const overlap = Math.min(box.right, against.right) - Math.max(box.left, against.left) > 2
                    && Math.min(box.bottom, against.bottom) - Math.max(box.top, against.top) > 5;
                if (overlap) wrong.push(`written over "${words[other].textContent}": ${said}`);
            }
        });
    }
    for (const image of document.images) {
        if (!image.complete || image.naturalWidth === 0) wrong.push(`image not drawn: ${image.src}`);
    }
    return wrong;
}

// No line pushes the page wider than the window; where there is room, none needs scrolling.
export function layout(wide) {
    const wrong = [];
    const page = document.documentElement;
    if (page.scrollWidth > page.clientWidth + 1) wrong.push(`the page is ${page.scrollWidth} wide in a window of ${page.clientWidth}`);
    if (wide) {
        for (const code of document.querySelectorAll("pre > code")) {
            if (code.scrollWidth > code.clientWidth + 1) {
                const longest = code.textContent.split("\n").sort((a, b) => b.length - a.length)[0];
                wrong.push(`a line of ${longest.length} columns does not fit: ${longest}`);
            }
        }
    }
    const controls = document.querySelectorAll("#content button, #content a, #content summary");
    for (const control of controls) {
        const box = control.getBoundingClientRect();
        if (box.width > 0 && box.right > page.clientWidth + 1 && !control.closest("pre, .table-wrapper, table")) {
            wrong.push(`out of the window: ${control.textContent}`);
        }
    }
    return wrong;
}

// What no page of this book has.
export function nothingUnwanted() {
    const wrong = [];
    if (document.querySelector(".play-button")) wrong.push("a Run button");
    const text = document.querySelector("main").textContent;
    for (const mark of ["ANCHOR", "{{#", "[!NOTE]", "[!TIP]", "[!WARNING]"]) {
        if (text.includes(mark)) wrong.push(`${mark} on the page`);
    }
    return wrong;
}

// Where the page's links lead, and the ids that it has.
export function links() {
    return {
        links: [...document.querySelectorAll("a[href]")].map((link) => new URL(link.getAttribute("href"), document.baseURI).href),
        ids: [...document.querySelectorAll("[id]")].map((element) => element.id),
        twice: [...document.querySelectorAll("[id]")].map((element) => element.id).filter((id, index, all) => all.indexOf(id) !== index),
    };
}
