//! Makes one system call with numbers as arguments, and says what the kernel answers.
//! `call socket 16 3 0`, `call NUMBER`, or `call int80`: getpid(2) as a program of i386 makes it.

use std::{env, process::ExitCode};

use ch13_privileges::syscalls::{Lookup, lookup};
use nix::errno::Errno;

fn main() -> ExitCode {
    let words: Vec<String> = env::args().skip(1).collect();
    let Some((name, arguments)) = words.split_first() else {
        eprintln!("call NAME [NUMBER…]");
        return ExitCode::from(2);
    };
    #[cfg(target_arch = "x86_64")]
    if name == "int80" {
        println!("int80: {}", getpid_of_i386());
        return ExitCode::SUCCESS;
    }
    let number = match lookup(name) {
        Lookup::Number(number) => number,
        _ => parse(name),
    };
    let mut given = [0; 6];
    for (place, word) in given.iter_mut().zip(arguments) {
        *place = parse(word);
    }
    let [a, b, c, d, e, f] = given;
    // SAFETY: the kernel checks each argument; this process has no state that a call could break
    // but its own output, and it ends next.
    let answer = unsafe { libc::syscall(number as libc::c_long, a, b, c, d, e, f) };
    match Errno::result(answer) {
        Ok(answer) => println!("{name}: {answer}"),
        Err(errno) => println!("{name}: {errno:?}"),
    }
    ExitCode::SUCCESS
}

/// A number, or 0x and a number.
fn parse(word: &str) -> i64 {
    let number = match word.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).map(|number| number as i64),
        None => word.parse(),
    };
    number.unwrap_or_else(|_| panic!("{word:?} is neither a system call nor a number"))
}

/// getpid(2) has number 20 there; on x86_64, 20 is writev(2).
#[cfg(target_arch = "x86_64")]
fn getpid_of_i386() -> i32 {
    let answer: i32;
    // SAFETY: getpid takes no argument and writes nothing but its answer; the kernel keeps all
    // other registers, but r8 to r11.
    unsafe {
        std::arch::asm!(
            "int 0x80",
            inlateout("eax") 20 => answer,
            out("r8") _, out("r9") _, out("r10") _, out("r11") _,
        );
    }
    answer
}
