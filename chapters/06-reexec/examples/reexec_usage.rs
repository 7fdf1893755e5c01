//! A registered function whose output the parent captures: no namespaces, just re-exec.
//!
//! `cargo run -p ch06-reexec --example reexec_usage`

use std::process::{ExitCode, id};

use anyhow::ensure;
use ch06_reexec::{command, init, register};
use lab::{Exit, Next, context, info};

fn main() -> ExitCode {
    lab::run(|| {
        register("func1", calm_down);
        init().unwrap_or_else(|| parent().map(Next::from))
    })
}

fn calm_down() -> anyhow::Result<Next> {
    info!("take a deep breath …");
    println!("process {} is calm", id());
    Ok(Exit::Code(0).into())
}

fn parent() -> anyhow::Result<Exit> {
    let mut func1 = command("func1");
    context::hand_over(&mut func1, "child");
    let output = func1.output()?;
    ensure!(output.status.success(), "func1: {}", output.status);
    info!(
        "func1 wrote this to standard output: {:?}",
        String::from_utf8_lossy(&output.stdout)
    );
    info!("func1 wrote this to standard error:");
    eprint!("{}", String::from_utf8_lossy(&output.stderr));
    info!("that was all");
    Ok(Exit::Code(0))
}
