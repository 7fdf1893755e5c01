//! What virtual machines are made of, for the kernels of `make test-kernels` and the machine in the
//! book's pages.
//!
//! | module | question it answers |
//! |---|---|
//! | [`debian`] | where does a kernel come from? |
//! | [`modules`] | which files does a kernel consist of? |
//! | [`build`] | how does what runs in there come about? |
//! | [`tools`] | how is another program run, so that its failure says what it said? |

pub mod build;
pub mod debian;
pub mod modules;
pub mod tools;
