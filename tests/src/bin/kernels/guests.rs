//! Which guests are there: which kernel, how it is booted, and what cannot be tested in it?

/// A kernel of Debian's: the "cloud" flavour, made for virtual machines, of one suite.
#[derive(Debug)]
pub struct Kernel {
    /// The suite it is taken from.
    pub suite: &'static str,
    /// What its version begins with; empty where the suite has a new one every few weeks.
    pub series: &'static str,
    /// Whether it was to be had when this line was written. On CI it is then an error if it is not.
    pub expected: bool,
}

const V5_10: Option<Kernel> = Some(Kernel { suite: "bullseye", series: "5.10.", expected: true });
const V6_1: Option<Kernel> = Some(Kernel { suite: "bookworm", series: "6.1.", expected: true });
const V6_12: Option<Kernel> = Some(Kernel { suite: "trixie", series: "6.12.", expected: true });
const NEWEST: Option<Kernel> = Some(Kernel { suite: "sid", series: "", expected: true });

/// How the guest's init mounts the cgroups.
#[derive(Clone, Copy, Debug)]
pub enum Cgroups {
    /// One hierarchy on /sys/fs/cgroup, its controllers switched on for the groups of the root.
    V2,
    /// A hierarchy for each subsystem (cpu and cpuacct share one), and no v2.
    V1,
}

/// A virtual machine in which the tests run.
#[derive(Debug)]
pub struct Guest {
    /// As `make test-kernels GUEST=` takes it.
    pub name: &'static str,
    /// What is booted; `None` for the file that `make test-kernels KERNEL=` names.
    pub kernel: Option<Kernel>,
    /// Further words for the kernel (its Documentation/admin-guide/kernel-parameters.rst).
    pub command_line: &'static str,
    /// Which cgroup hierarchies there are.
    pub cgroups: Cgroups,
    /// Whether it has the kernel's overlay, a module in Debian's kernels.
    pub overlay: bool,
    /// The tests that are skipped there: `part of a name => part of the reason`, a line each.
    /// On any other skip the run fails. `None`: nobody knows beforehand.
    pub skips: Option<&'static str>,
}

const NONE: Option<&str> = Some("");

/// Without user namespaces, root has chapters 1 to 4, and nobody else has any.
const NO_USERNS: &str = "\
05-user-idmap as root => user.max_user_namespaces is 0
06-reexec as root => user.max_user_namespaces is 0
as user => user.max_user_namespaces is 0
a namespace limit is named => it needs a user namespace
doctor as => it needs a user namespace
";

/// The guests, the usual ones first.
pub const GUESTS: [Guest; 7] = [
    Guest { name: "6.1-v2", kernel: V6_1, command_line: "", cgroups: Cgroups::V2, overlay: true, skips: NONE },
    Guest { name: "6.1-v1", kernel: V6_1, command_line: "", cgroups: Cgroups::V1, overlay: true, skips: NONE },
    Guest { name: "5.10-v2", kernel: V5_10, command_line: "", cgroups: Cgroups::V2, overlay: true, skips: NONE },
    Guest { name: "6.12-v2", kernel: V6_12, command_line: "", cgroups: Cgroups::V2, overlay: true, skips: NONE },
    Guest { name: "newest-v2", kernel: NEWEST, command_line: "", cgroups: Cgroups::V2, overlay: true, skips: NONE },
    Guest {
        name: "6.1-no-userns",
        kernel: V6_1,
        command_line: "sysctl.user.max_user_namespaces=0",
        cgroups: Cgroups::V2,
        overlay: true,
        skips: Some(NO_USERNS),
    },
    Guest { name: "6.1-no-overlay", kernel: V6_1, command_line: "", cgroups: Cgroups::V2, overlay: false, skips: NONE },
];

/// The guest for a kernel of one's own.
pub const OWN: Guest =
    Guest { name: "own", kernel: None, command_line: "", cgroups: Cgroups::V2, overlay: true, skips: None };
