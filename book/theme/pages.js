// What stands around the text of each page. Without this script the page says the same, but for the
// minutes of an exercise: mdBook's sidebar has the titles, and an exercise is open.
//
//  - "Chapter 6 of 13" above the title, and the titles of the pages before and after below it all;
//  - each exercise is a closed box with its number and minutes; a link to it opens it;
//  - where the repository is public, the names of files are links to them;
//  - the page of all pages has a cover and contents, and can be printed without the code.

(() => {
    "use strict";

    const main = document.querySelector("main");
    const isWholeBook = /\/print\.html$/.test(location.pathname);

    const element = (name, attributes, ...children) => {
        const made = document.createElement(name);
        Object.entries(attributes).forEach(([key, value]) => made.setAttribute(key, value));
        made.append(...children);
        return made;
    };

    // The pages in their order, from the sidebar: their addresses and titles.
    const pages = [...document.querySelectorAll("#mdbook-sidebar .chapter a[href]")]
        .filter((link) => !link.getAttribute("href").startsWith("#"))
        .map((link) => ({ href: link.href.replace(/#.*/, ""), title: link.textContent.trim() }));
    const numbered = pages.filter((page) => /^\d\d /.test(page.title) && !page.title.startsWith("00"));

    // "06 The program runs itself again" has its number above it.
    for (const title of main.querySelectorAll("h1")) {
        const text = (title.querySelector("a") ?? title).firstChild;
        const found = /^(\d\d) /.exec(text?.textContent ?? "");
        if (!found || Number(found[1]) === 0) continue;
        const rest = text.splitText(found[0].length);
        rest.before(element("span", { class: "number" }, text));
        title.before(element("p", { class: "chapter-of" }, `Chapter ${Number(found[1])} of ${numbered.length}`));
    }

    const here = pages.findIndex((page) => page.href === document.querySelector("#mdbook-sidebar a.active")?.href.replace(/#.*/, ""));
    if (here >= 0 && !isWholeBook) {
        const way = element("nav", { class: "way", "aria-label": "Page before and after" });
        const add = (page, rel, words) => page && way.append(
            element("a", { href: page.href, rel }, element("small", {}, words), page.title));
        add(pages[here - 1], "prev", "← Before");
        add(pages[here + 1], "next", "Next →");
        main.append(way);
    }

    // An exercise begins with a comment that has its minutes, and ends with its third hint.
    const comments = document.createTreeWalker(main, NodeFilter.SHOW_COMMENT | NodeFilter.SHOW_ELEMENT);
    const exercises = [];
    let number = 0;
    while (comments.nextNode()) {
        const node = comments.currentNode;
        if (node.nodeName === "H1") number = 0;
        const minutes = node.nodeType === Node.COMMENT_NODE && /^minutes: (\d+)$/m.exec(node.data);
        if (minutes) exercises.push({ comment: node, minutes: minutes[1], number: ++number });
    }
    for (const { comment, minutes, number } of exercises) {
        const title = comment.nextElementSibling;
        const summary = element("summary", {});
        const box = element("details", { class: "exercise" }, summary);
        let hints = 0;
        for (let next = title.nextSibling; next && hints < 3; next = title.nextSibling) {
            if (next.nodeName === "DETAILS") hints += 1;
            box.append(next);
        }
        title.before(box);
        // The title is no link to itself: a click opens and closes.
        title.replaceChildren(
            element("span", { class: "label" }, `Exercise ${number} · `),
            ...(title.querySelector("a.header") ?? title).childNodes);
        summary.append(title, element("span", { class: "minutes" }, `${minutes} min`));
    }

    // mdBook's sidebar follows the titles that are links, and takes a folded one for the one on top.
    for (const link of main.querySelectorAll("details h3 > a.header")) link.replaceWith(...link.childNodes);

    // An exercise stays as the reader left it.
    for (const box of main.querySelectorAll("details.exercise")) {
        const key = `book-exercise ${location.pathname} ${box.querySelector("h3").id}`;
        try { box.open = localStorage.getItem(key) === "open"; } catch { /* nothing is kept here */ }
        box.addEventListener("toggle", () => {
            try { localStorage.setItem(key, box.open ? "open" : "closed"); } catch { /* nor this */ }
        });
    }

    // A link into a folded part opens it; the script before this one did not know these boxes.
    const open = () => {
        const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
        for (let at = target; at; at = at.parentElement) if (at.nodeName === "DETAILS") at.open = true;
        if (target) target.scrollIntoView();
    };
    window.addEventListener("hashchange", open);
    open();

    const repository = document.querySelector(".right-buttons a[title='Git repository']");
    if (repository) {
        const address = repository.href.replace(/\/$/, "");
        for (const code of main.querySelectorAll("p > code, td > code")) {
            const name = code.textContent;
            if (!/^(chapters|tests|book)\/\S+\.[a-z]+$/.test(name) || code.closest("a")) continue;
            const link = element("a", { href: `${address}/blob/HEAD/${name}`, title: `${name} in the repository` });
            code.before(link);
            link.append(code);
        }
    }

    // In a table, a path or a long name may go on in the next line, but only behind a "/" or "::".
    for (const code of main.querySelectorAll("td code")) {
        for (const text of [...code.childNodes].filter((node) => node.nodeType === Node.TEXT_NODE)) {
            text.replaceWith(...text.data.split(/(?<=\/|::)/).flatMap((part, at) => (at ? [element("wbr", {}), part] : [part])));
        }
    }

    // The printer's button, and one without code.
    const printer = document.querySelector(".right-buttons a[href$='print.html']");
    printer?.before(element("a", {
        class: "without-code", href: `${printer.getAttribute("href")}?without-code`,
        title: "Print this book without its code",
    }, "print without code"));

    if (isWholeBook) {
        const withoutCode = location.search === "?without-code";
        document.documentElement.classList.toggle("without-code", withoutCode);
        const entries = [...main.querySelectorAll("h1[id]")].map((title) =>
            element("li", {}, element("a", { href: `#${title.id}` }, title.textContent)));
        main.prepend(
            element("header", { class: "cover" },
                element("p", { class: "cover-title" }, document.querySelector(".menu-title").textContent),
                element("p", {}, document.querySelector("meta[name=description]").content),
                element("p", {}, withoutCode ? "The text, the drawings and the runs, without the code" : "The whole book, with its code")),
            element("nav", { class: "contents", "aria-label": "Contents" },
                element("p", { class: "contents-title" }, "Contents"), element("ol", {}, ...entries)));
    }
})();
