//! What the tests run inside a container where a shell is not enough.

#[path = "inside/breach.rs"]
mod breach;
#[path = "inside/calls.rs"]
mod calls;
#[path = "inside/watch.rs"]
mod watch;

use std::{
    fs::File,
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    os::fd::{AsRawFd, RawFd},
    path::{Path, PathBuf},
    process::ExitCode,
    thread::sleep,
    time::Duration,
};

use anyhow::Context;
use clap::Parser;
use lab::Exit;
use nix::{
    errno::Errno,
    sys::{
        prctl,
        signal::{SigSet, Signal},
    },
    unistd::{Uid, chdir, chroot, setresuid},
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
    /// Blocks SIGTERM, says so, and ends with 7 when it has come
    Hear { how: How },
    /// Types this on every terminal that it can reach (TIOCSTI)
    Type { text: String },
    /// Is not to end with its parent any more; says so, and stays
    Forget,
    /// Takes away what is mounted over the host's files, and says what that uncovers
    Breach(breach::Breach),
    /// Looks where the links of other processes lead, until a line comes
    Watch,
    /// Makes each of these system calls in a child of its own, and says what the kernel answers
    Call(calls::Calls),
    /// Makes the system call 20 as a program of i386 does: getpid(2)
    Int80,
    /// Listens on this port of 127.0.0.1
    Listen { port: u16 },
    /// Takes these capabilities out of its bounding set, says so, and waits for its input's end
    Unbound { numbers: Vec<libc::c_ulong> },
}

/// How a process learns of a signal that it blocks.
#[derive(Clone, Copy, clap::ValueEnum)]
enum How {
    /// By sigwait(3).
    Wait,
    /// It looks now and then whether one is pending (sigpending(2)).
    Look,
}

/// As if it were typed there. The kernel may refuse it: then nothing is typed.
fn type_on(number: RawFd, text: &str) {
    for byte in text.bytes() {
        // SAFETY: the kernel reads one byte.
        unsafe { libc::ioctl(number, libc::TIOCSTI, &raw const byte) };
    }
}

/// Waits for SIGTERM in this way.
fn hear(how: How) -> anyhow::Result<()> {
    let term = SigSet::from(Signal::SIGTERM);
    term.thread_block().context("block SIGTERM")?;
    println!("ready");
    match how {
        How::Wait => drop(term.wait().context("sigwait")?),
        How::Look => {
            while !is_pending(Signal::SIGTERM)? {
                sleep(Duration::from_millis(5));
            }
        }
    }
    println!("heard");
    Ok(())
}

fn is_pending(signal: Signal) -> anyhow::Result<bool> {
    let mut pending = SigSet::empty().as_ref().to_owned();
    // SAFETY: sigpending writes to the set that it is given, and sigismember reads it.
    let found = unsafe {
        Errno::result(libc::sigpending(&mut pending)).context("sigpending")?;
        libc::sigismember(&pending, signal as i32)
    };
    Ok(found == 1)
}

/// The kernel forgets the parent-death signal of a process that changes its ids (prctl(2)). One
/// that has no others asks it to.
fn forget_the_parent() -> anyhow::Result<()> {
    let other = Uid::from_raw(1);
    if setresuid(other, other, other).is_err() {
        prctl::set_pdeathsig(None).context("prctl PR_SET_PDEATHSIG")?;
    }
    Ok(())
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
            Cli::Hear { how } => {
                hear(how)?;
                return Ok(Exit::Code(7));
            }
            Cli::Type { text } => {
                let own = File::options().read(true).write(true).open("/dev/tty").ok();
                let terminals = [0, 1, 2].into_iter().chain(own.iter().map(AsRawFd::as_raw_fd));
                for number in terminals {
                    type_on(number, &text);
                }
                println!("typed");
            }
            Cli::Forget => {
                forget_the_parent()?;
                println!("up");
                loop {
                    sleep(Duration::from_secs(1000));
                }
            }
            Cli::Breach(breach) => breach.run()?,
            Cli::Watch => watch::watch()?,
            Cli::Call(calls) => calls.run()?,
            Cli::Int80 => println!("{}", calls::getpid_of_i386()),
            Cli::Listen { port } => calls::listen(port),
            Cli::Unbound { numbers } => calls::unbind(&numbers)?,
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
