//! What `cargo run` alone prints: where to begin.

use std::io::{self, Write};

const TOUR: &str = "\
From clone(2) to a container: a container runtime that grows, one idea a chapter.

  cargo run --bin 09-aufs      Begin here: a shell in a container. It compiles for a minute first.
                               Type  hostname; id; ls; rm /image-layer1.txt  and then  exit
  make serve                   then the book, in your browser: chapter 1 comes first
  make start CH=01             then write chapter 1 yourself; the kernel marks it

  cargo run --bin doctor       if something does not work here: why, and what to do
  make                         all commands; README.md says more

The stages are 01-uts, 02-ipc, 03-pid, 04-mount, 05-user-idmap, 06-reexec, 07-cgroup-memory,
08-pipe-init, 09-aufs, 10-names, 11-nsenter, 12-walls and 13-privileges:

  cargo run --bin 03-pid -- --help
";

fn main() -> io::Result<()> {
    io::stdout().write_all(TOUR.as_bytes())
}
