//! Code that runs before `main`, and why runc needs it and a Rust program does not.
//!
//! The loader calls the functions whose addresses are in the section `.init_array`, then the
//! program begins. In Go the program begins with a runtime that starts threads, and a process
//! with threads can neither join a user namespace nor make one. So runc joins in such a
//! function, written in C. A Rust program has one thread until it starts another itself.

use std::{fs, sync::mpsc, thread};

use nix::sched::{CloneFlags, unshare};

#[used]
// SAFETY: the section is a table of functions without arguments, and this is the address of one.
#[unsafe(link_section = ".init_array")]
static BEFORE_MAIN: extern "C" fn() = before_main;

/// Rust's own start has not run yet: only what needs none of it is done here.
extern "C" fn before_main() {
    println!("before main: {}", threads());
}

fn main() {
    println!("in main: {}", threads());

    let (stop, stopped) = mpsc::channel::<()>();
    let second = thread::spawn(move || stopped.recv());
    println!("with a second thread, as in Go: {}, {}", threads(), new_user_namespace());
    drop(stop);
    let _ended = second.join(); // it got no message, but the end of all messages

    while count() > 1 {
        thread::yield_now(); // joined, and the kernel is about to let it go
    }
    println!("without it: {}, {}", threads(), new_user_namespace());
}

fn new_user_namespace() -> String {
    match unshare(CloneFlags::CLONE_NEWUSER) {
        Ok(()) => "a user namespace: made".to_owned(),
        Err(errno) => format!("a user namespace: {}", errno.desc()),
    }
}

fn threads() -> String {
    let count = count();
    format!("{count} thread{}", if count == 1 { "" } else { "s" })
}

fn count() -> usize {
    fs::read_dir("/proc/self/task").map_or(0, Iterator::count)
}
