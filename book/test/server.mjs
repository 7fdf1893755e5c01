// Serves the built book on 127.0.0.1, as `mdbook serve` would, with its 404 page.

import { createServer } from "node:http";
import { readFile } from "node:fs/promises";
import { extname, join, normalize } from "node:path";

const TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".woff2": "font/woff2",
};

export async function serve(folder) {
    const server = createServer(async (request, response) => {
        const path = normalize(decodeURIComponent(new URL(request.url, "http://book").pathname));
        const name = path.endsWith("/") ? `${path}index.html` : path;
        const send = async (status, file) => {
            const body = await readFile(join(folder, file));
            response.writeHead(status, { "content-type": TYPES[extname(file)] ?? "application/octet-stream" });
            response.end(body);
        };
        await send(200, name).catch(() => send(404, "404.html"));
    });
    await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
    return { origin: `http://127.0.0.1:${server.address().port}`, close: () => server.close() };
}
