//! What does the kernel let a process in a container do? The process tries it.

use std::{
    ffi::CString,
    io::{Read, stdin},
    net::TcpListener,
    thread,
};

use anyhow::Context;
use nix::{
    errno::Errno,
    sys::wait::{WaitStatus, waitpid},
    unistd::{ForkResult, fork},
};

/// Which system calls.
#[derive(clap::Args)]
pub struct Calls {
    /// In a thread of that child
    #[arg(long)]
    thread: bool,
    /// `NUMBER ARGUMENT…`: a number, or a text to which a pointer is given
    calls: Vec<String>,
}

impl Calls {
    /// A line for each.
    pub fn run(self) -> anyhow::Result<()> {
        for call in &self.calls {
            println!("{}", answer(call, self.thread)?);
        }
        Ok(())
    }
}

/// Makes one system call in a child, and waits for it: the errno's name, `0`, or the signal that
/// ended the child.
fn answer(call: &str, in_thread: bool) -> anyhow::Result<String> {
    let texts: Vec<CString> = call.split(' ').map(CString::new).collect::<Result<_, _>>()?;
    let mut words = [0; 7];
    for (place, text) in words.iter_mut().zip(&texts) {
        let number = text.to_str()?.parse::<u64>();
        *place = number.map_or(text.as_ptr() as libc::c_long, |number| number as libc::c_long);
    }
    let make = move || {
        let [number, a, b, c, d, e, f] = words;
        // SAFETY: the kernel checks each argument, and this process ends next.
        let answer = unsafe { libc::syscall(number, a, b, c, d, e, f) };
        Errno::result(answer).map_or_else(|errno| errno as i32, |_| 0)
    };
    // SAFETY: this process has one thread.
    match unsafe { fork() }.context("fork")? {
        ForkResult::Child => {
            let errno = match in_thread {
                true => thread::spawn(make).join().unwrap_or(255),
                false => make(),
            };
            // SAFETY: it ends this process, and does nothing else.
            unsafe { libc::_exit(errno) }
        }
        ForkResult::Parent { child } => Ok(match waitpid(child, None)? {
            WaitStatus::Exited(_, 0) => "0".into(),
            WaitStatus::Exited(_, errno) => format!("{:?}", Errno::from_raw(errno)),
            WaitStatus::Signaled(_, signal, _) => signal.to_string(),
            other => format!("{other:?}"),
        }),
    }
}

/// getpid(2) has number 20 there. (On x86_64, 20 is writev(2).)
pub fn getpid_of_i386() -> i32 {
    #[cfg(target_arch = "x86_64")]
    {
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
    #[cfg(not(target_arch = "x86_64"))]
    0
}

/// Says whether it may listen on this port.
pub fn listen(port: u16) {
    let listener = TcpListener::bind(("127.0.0.1", port));
    println!("{}", listener.map_or_else(|error| error.to_string(), |_| "ok".into()));
}

/// Takes capabilities out of the bounding set, for good, and stays.
pub fn unbind(numbers: &[libc::c_ulong]) -> anyhow::Result<()> {
    for number in numbers {
        // SAFETY: this option takes a number.
        let dropped = unsafe { libc::prctl(libc::PR_CAPBSET_DROP, *number, 0, 0, 0) };
        Errno::result(dropped).context("prctl PR_CAPBSET_DROP")?;
    }
    println!("up");
    stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}
