//! A program that does nothing: what a start costs any program in Rust.

fn main() {}
