// The emulated computer: the same for the one that the snapshot is taken of, and the one in a page.
// A snapshot fits one version of v86 and this description.

export const computer = {
    memory_size: 256 << 20,
    vga_memory_size: 2 << 20,
    autostart: true,
    fastboot: true,
    uart1: true,
    uart2: true,
    disable_keyboard: true,
    disable_mouse: true,
    disable_speaker: true,
};

// The serial lines: a reader's two terminals, and between them the page's.
export const TERMINALS = [0, 2];
export const PAGE = 1;

// The byte that ends what a command of the page printed (guest/shell).
export const END = 0x1e;
