//! How is a guest run, with a bound on its time, and what did it say? How does a person get in?

use std::{
    fs::{self, File, OpenOptions},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, bail, ensure};
use judge::process::wait_for_end;
use nix::unistd::Pid;

/// A plain processor: one with all that can be emulated takes half as long again. It is
/// without cmpxchg16b: around that, QEMU 7.2 sometimes leaves other flags than there were,
/// and a kernel 6.12 then oopses in nearly every run. rdrand is for the kernel's random numbers.
const PROCESSOR: &str = "qemu64,+rdrand,cx16=off";

/// QEMU translates a program's code for the place where it lies: at random addresses, it would
/// translate the C library anew for each process. Nor can an emulated processor be attacked as
/// the mitigations expect. And on a machine that is busy, the emulated timer may be late when the
/// kernel checks it, which then panics.
const COMMAND_LINE: &str = "panic=-1 no_timer_check norandmaps mitigations=off";

/// What shell.sh writes before the shell starts.
const READY: &str = "the shell starts";

/// What a guest left.
#[derive(Debug)]
pub struct Ended {
    /// What the tests wrote.
    pub output: String,
    /// The kernel's own messages.
    pub console: String,
    /// The tests' exit status, or why there is none.
    pub status: Result<i32, String>,
    /// How long it took.
    pub time: Duration,
}

/// A machine that is to be booted.
#[derive(Debug)]
pub struct Machine {
    /// A bzImage.
    pub kernel: PathBuf,
    /// What the kernel unpacks as its first root.
    pub initramfs: PathBuf,
    /// Words for the kernel.
    pub command_line: &'static str,
    /// Its first NVMe disk: Debian's cloud kernels need no module for that.
    pub disk: PathBuf,
}

/// Boots a machine, and waits until it is off; one whose tests write nothing for as long as `bound`
/// hangs.
pub fn boot(machine: &Machine, bound: Duration, folder: &Path) -> anyhow::Result<Ended> {
    let (console, output) = (folder.join("console"), folder.join("output"));
    let serial = |file: &Path| format!("file:{}", file.display());
    let started = Instant::now();
    let mut child = qemu(machine, "console=ttyS0")
        .args(["-cpu", PROCESSOR, "-accel", "tcg,thread=single"])
        .args(["-serial", &serial(&console), "-serial", &serial(&output)])
        .stdin(Stdio::null())
        .stderr(File::create(folder.join("qemu"))?)
        .spawn()
        .context("run qemu-system-x86_64 (package qemu-system-x86)")?;
    let written = || fs::metadata(&output).map_or(0, |file| file.len());
    let (mut in_time, mut last, mut so_far) = (false, Instant::now(), 0);
    while !in_time && last.elapsed() < bound {
        in_time = wait_for_end(Pid::from_raw(child.id() as i32), Duration::from_millis(200))?;
        if written() > so_far {
            (last, so_far) = (Instant::now(), written());
        }
    }
    if !in_time {
        child.kill()?;
    }
    let qemu = child.wait()?;
    if !qemu.success() && in_time {
        bail!(
            "qemu-system-x86_64: {qemu}: {}",
            fs::read_to_string(folder.join("qemu"))?.trim()
        );
    }
    let read =
        |file: &Path| anyhow::Ok(String::from_utf8_lossy(&fs::read(file)?).replace('\r', ""));
    let output = read(&output)?;
    let status = match exit_status(&output) {
        Some(status) => Ok(status),
        None if in_time => {
            let qemu = fs::read_to_string(folder.join("qemu"))?;
            Err(format!("it went off without a last word. {}", qemu.trim()))
        }
        None => Err(format!("it hangs: for {} s its tests wrote nothing", bound.as_secs())),
    };
    Ok(Ended {
        output,
        console: read(&console)?,
        status,
        time: started.elapsed(),
    })
}

/// Boots a machine whose first serial line is this terminal, and waits until it is off. Ctrl-A X
/// switches it off, too. Where KVM is not usable, or qemu gives up on it, it is emulated.
///
/// # Errors
///
/// qemu failed, or the machine went off before there was a shell in it.
pub fn enter(machine: &Machine, is_emulated: bool, folder: &Path) -> anyhow::Result<()> {
    let hint = "If it hangs, Ctrl-A X switches it off.";
    if is_emulated {
        eprintln!("Booting, emulated. {hint}");
    } else if let Err(error) = OpenOptions::new().read(true).write(true).open("/dev/kvm") {
        eprintln!("Booting, emulated, for /dev/kvm cannot be used: {error}. {hint}");
    } else {
        eprintln!("Booting, with KVM. {hint}");
        match on_this_terminal(machine, &["-cpu", "host", "-accel", "kvm"], folder) {
            Ok(()) => return Ok(()),
            Err(error) => eprintln!("KVM does not do: {error:#}\nBooting again, emulated."),
        }
    }
    on_this_terminal(machine, &["-cpu", PROCESSOR, "-accel", "tcg,thread=single"], folder)
}

fn on_this_terminal(machine: &Machine, how: &[&str], folder: &Path) -> anyhow::Result<()> {
    let [console, output, qemus] = ["console", "output", "qemu"].map(|name| folder.join(name));
    let mut command = qemu(machine, "console=ttyS2");
    command.args(how).args(["-serial", "mon:stdio"]);
    for file in [&output, &console] {
        command.arg("-serial").arg(format!("file:{}", file.display()));
    }
    let ended = command.stderr(File::create(&qemus)?).status();
    let ended = ended.context("run qemu-system-x86_64 (package qemu-system-x86)")?;
    let words = fs::read_to_string(&qemus)?;
    ensure!(ended.success(), "qemu-system-x86_64: {ended}: {}", words.trim());
    ensure!(
        fs::read_to_string(&output)?.contains(READY),
        "the machine went off before there was a shell in it: see {}",
        console.display()
    );
    Ok(())
}

/// What all machines have in common.
fn qemu(machine: &Machine, console: &str) -> Command {
    let disk = machine.disk.display();
    let mut command = Command::new("qemu-system-x86_64");
    command
        .args(["-nodefaults", "-no-user-config", "-no-reboot", "-display", "none", "-m", "512"])
        .args(["-M", "pc", "-device", "virtio-blk-pci,drive=disk,serial=disk", "-drive"])
        .arg(format!("if=none,id=disk,format=raw,cache=unsafe,file={disk}"))
        .arg("-kernel")
        .arg(&machine.kernel)
        .arg("-initrd")
        .arg(&machine.initramfs)
        .args(["-append", &format!("{console} {COMMAND_LINE} {}", machine.command_line)]);
    command
}

/// The last line of the tests' output.
fn exit_status(output: &str) -> Option<i32> {
    output.lines().last()?.strip_prefix("exit status ")?.parse().ok()
}
