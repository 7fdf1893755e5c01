//! What the tests run inside a container where a shell is not enough.

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::Context;
use clap::Parser;
use lab::Exit;
use nix::{
    errno::Errno,
    unistd::{chdir, chroot},
};

/// Does one small thing inside a container, and says on standard output how it went.
#[derive(Parser)]
enum Cli {
    /// Makes a System V message queue with this key, says so, and waits for the end of its input
    Queue { key: i32 },
    /// Is there a System V message queue with this key?
    Find { key: i32 },
    /// Says that it is there, and answers each line with the same in capitals
    Answer,
    /// Allocates this many MiB and writes to all of it
    Eat { mebibytes: usize },
    /// Changes its root and then its working directory, which `outside` leaves where it was;
    /// says so, and waits for the end of its input
    Jail { root: PathBuf, workdir: PathBuf },
    /// Sends a word to itself through 127.0.0.1
    Loopback,
}

fn main() -> ExitCode {
    lab::run(|| {
        match Cli::parse() {
            Cli::Queue { key } => {
                // SAFETY: msgget takes two numbers.
                Errno::result(unsafe {
                    libc::msgget(key, libc::IPC_CREAT | libc::IPC_EXCL | 0o666)
                })?;
                println!("made");
                std::io::stdin().read_to_end(&mut Vec::new())?;
            }
            Cli::Find { key } => {
                // SAFETY: msgget takes two numbers.
                let found = Errno::result(unsafe { libc::msgget(key, 0) });
                println!("{}", if found.is_ok() { "found" } else { "not found" });
            }
            Cli::Answer => {
                println!("ready");
                for line in std::io::stdin().lines() {
                    println!("{}", line?.to_uppercase());
                }
            }
            Cli::Eat { mebibytes } => {
                let memory = std::hint::black_box(vec![1u8; mebibytes << 20]);
                println!("ate {}", memory.len() >> 20);
            }
            Cli::Jail { root, workdir } => {
                chroot(&root).context("chroot")?;
                if workdir != Path::new("outside") {
                    chdir(&workdir).context("chdir")?;
                }
                println!("ready");
                std::io::stdin().read_to_end(&mut Vec::new())?;
            }
            Cli::Loopback => {
                let listener = TcpListener::bind("127.0.0.1:0").context("listen on 127.0.0.1")?;
                let mut sender =
                    TcpStream::connect(listener.local_addr()?).context("connect to 127.0.0.1")?;
                sender.write_all(b"word")?;
                drop(sender);
                let mut word = String::new();
                listener.accept()?.0.read_to_string(&mut word)?;
                println!("{word}");
            }
        }
        Ok(Exit::Code(0))
    })
}
