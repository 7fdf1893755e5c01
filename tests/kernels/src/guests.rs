//! Which guests are there: which kernel, how it is booted, and what cannot be tested in it?

use kernels::debian::Kernel;

const V5_10: Option<Kernel> = Some(Kernel {
    suite: "bullseye",
    series: "5.10.",
    expected: true,
});
const V6_1: Option<Kernel> = Some(Kernel {
    suite: "bookworm",
    series: "6.1.",
    expected: true,
});
const V6_12: Option<Kernel> = Some(Kernel {
    suite: "trixie",
    series: "6.12.",
    expected: true,
});
const NEWEST: Option<Kernel> = Some(Kernel {
    suite: "sid",
    series: "",
    expected: true,
});

/// How the guest's init mounts the cgroups.
#[derive(Clone, Copy, Debug)]
pub enum Cgroups {
    /// One hierarchy on /sys/fs/cgroup, its controllers switched on for the groups of the root.
    V2,
    /// A hierarchy for each subsystem (cpu and cpuacct share one), and no v2.
    V1,
}

/// Where the tests' files are, and with them the container layers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Files {
    /// On a disk with ext4, as on most machines.
    Ext4,
    /// In memory. Only since Linux 6.6 can an ordinary user's overlay write there.
    Tmpfs,
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
    /// The file system of the root and of /tmp.
    pub files: Files,
    /// Whether it has the kernel's overlay, a module in Debian's kernels.
    pub overlay: bool,
    /// Only the tests whose name contains this; all, if it is empty.
    pub tests: &'static str,
    /// But not those whose name contains one of these words.
    pub without: &'static [&'static str],
    /// What the doctor must say there, to root or to an ordinary user.
    pub doctor: &'static [&'static str],
    /// The tests that are skipped there: `part of a name => part of the reason`, a line each.
    /// On any other skip the run fails. `None`: nobody knows beforehand.
    pub skips: Option<&'static str>,
}

/// No kernel of Debian's has aufs.
const NO_AUFS: &str = "where the kernel has it => this kernel has no aufs\n";

/// Nor has a container's group groups below it, on version 2.
const NO_AUFS_V2: &str = "where the kernel has it => this kernel has no aufs\n\
                          a limited stage in a limited stage => on cgroup v2\n";

/// On version 1 the processes of a delegated group do not move.
const ON_V1: &str = "a delegated group with another user's process => on cgroup v1 here\n";

/// Checks that take minutes where the processor is emulated, and so run in one guest each.
const MANY_CONTAINERS: &str = "200 containers one after another";
const DEEP_FOLDERS: &str = "folders nested deeper than a stack";
const BECOMES_A_LINK: &str = "a folder that becomes a link while";

/// The guests, the slowest first. The processor is emulated, and all of them together may take a
/// quarter of an hour. So the checks of a chapter run on the last stage, on each kernel and
/// hierarchy that they can tell apart, as root or as an ordinary user; and most stages below on
/// one kernel.
pub const GUESTS: [Guest; 8] = [
    Guest {
        name: "6.1-v2",
        without: &[
            "01-uts", // the checks of chapters 1 to 4 are in stage 13's
            "02-ipc",
            "03-pid",
            "04-mount",
            "06-reexec",
            "08-pipe-init",
            "09-aufs",
            "10-names",
            "11-nsenter",
            "12-walls",
            "13-privileges as root: 0", // root's checks are in 6.12-v2 and 5.10-v2,
            "13-privileges as root: 10", // and what is about limits in 6.1-v1
            "13-privileges as root: 11",
            "13-privileges as root: 12",
            BECOMES_A_LINK,
        ],
        skips: Some(NO_AUFS_V2),
        ..USUAL
    },
    Guest {
        name: "6.12-v2",
        kernel: V6_12,
        without: &[
            "01-uts",
            "02-ipc",
            "03-pid",
            "04-mount",
            "05-user-idmap",
            "07-cgroup-memory",
            "08-pipe-init",
            "09-aufs",
            "10-names",
            "11-nsenter as user",
            "12-walls as user",
            "13-privileges as user: 0", // the checks of chapters 1 to 12, which 6.1-v2 has
            "13-privileges as user: 10",
            "13-privileges as user: 11",
            "13-privileges as user: 12",
            "13-privileges as root: 01",
            "13-privileges as root: 02",
            "13-privileges as root: 03",
            "13-privileges as root: 04",
            "13-privileges as root: 05",
            "13-privileges as root: 06",
            "13-privileges as root: 07",
            "13-privileges as root: 08",
            "13-privileges as root: 10",
            "13-privileges as root: 11",
            "13-privileges as root: 12", // which stages 11 and 12 take here
            DEEP_FOLDERS,
            MANY_CONTAINERS,
        ],
        skips: Some(NO_AUFS),
        ..USUAL
    },
    Guest {
        name: "newest-v2",
        kernel: NEWEST,
        files: Files::Tmpfs,
        tests: "13-privileges as user: 09", // layers in memory, for an ordinary user
        without: &[MANY_CONTAINERS, DEEP_FOLDERS],
        skips: Some(NO_AUFS),
        ..USUAL
    },
    Guest {
        name: "5.10-v2",
        kernel: V5_10,
        doctor: &["lets only root mount overlay", "before Linux 5.12 there are no idmapped mounts"],
        // The last that run are 11 for root and 8 for an ordinary user: they take all checks.
        without: &[
            "01-uts",
            "02-ipc",
            "03-pid",
            "04-mount",
            "05-user-idmap",
            "06-reexec",
            "07-cgroup-memory",
            "08-pipe-init as root",
            "08-pipe-init as user: 01",
            "10-names",
            "11-nsenter as user",
            "11-nsenter as root: 01",
            MANY_CONTAINERS,
            DEEP_FOLDERS,
        ],
        skips: Some(
            "where the kernel has it => no aufs\n\
             a limited stage in a limited stage => on cgroup v2\n\
             09-aufs as user => lets only root mount overlay\n\
             12-walls as root => before Linux 5.12\n\
             12-walls as user => lets only root mount overlay\n\
             13-privileges as root => before Linux 5.12\n\
             13-privileges as user => lets only root mount overlay\n",
        ),
        ..USUAL
    },
    // The first six stages have no cgroup.
    Guest {
        name: "6.1-v1",
        cgroups: Cgroups::V1,
        without: &[
            "01-uts",
            "02-ipc",
            "03-pid",
            "04-mount",
            "05-user-idmap",
            "06-reexec",
            "08-pipe-init",
            "09-aufs",
            "10-names",
            "12-walls",
            "13-privileges as user",
            "11-nsenter",
            // What no hierarchy has to do with:
            "13-privileges as root: 01",
            "13-privileges as root: 02",
            "13-privileges as root: 03",
            "13-privileges as root: 04",
            "13-privileges as root: 05",
            "13-privileges as root: 06",
            "13-privileges as root: 09",
            "13-privileges as root: 10",
            "13-privileges as root: 11",
            BECOMES_A_LINK,
        ],
        skips: Some(ON_V1),
        ..USUAL
    },
    Guest {
        name: "6.1-no-userns",
        command_line: "sysctl.user.max_user_namespaces=0",
        doctor: &["user.max_user_namespaces is 0"],
        skips: Some(NO_USERNS),
        ..USUAL
    },
    Guest {
        name: "6.1-no-overlay",
        overlay: false,
        tests: "doctor as",
        doctor: &["this kernel has no overlay"],
        skips: Some(""),
        ..USUAL
    },
    Guest {
        name: "6.1-tmpfs",
        files: Files::Tmpfs,
        tests: "doctor as",
        doctor: &["cannot store overlay's attributes"],
        skips: Some(""),
        ..USUAL
    },
];

/// Without user namespaces root has chapters 1 to 4, and nobody else has any.
const NO_USERNS: &str = "\
                         05-user-idmap as root => user.max_user_namespaces is 0
06-reexec as root => user.max_user_namespaces is 0
07-cgroup-memory as root => user.max_user_namespaces is 0
08-pipe-init as root => user.max_user_namespaces is 0
09-aufs as root => user.max_user_namespaces is 0
10-names as root => user.max_user_namespaces is 0
11-nsenter as root => user.max_user_namespaces is 0
12-walls as root => user.max_user_namespaces is 0
13-privileges as root => user.max_user_namespaces is 0
as user => user.max_user_namespaces is 0
a namespace limit is named => it needs a user namespace
doctor as => it needs a user namespace
";

/// What most have in common.
const USUAL: Guest = Guest {
    name: "",
    kernel: V6_1,
    command_line: "",
    cgroups: Cgroups::V2,
    files: Files::Ext4,
    overlay: true,
    tests: "",
    without: &[],
    doctor: &[],
    skips: Some(NO_AUFS),
};

/// The guest for a kernel that you name.
pub const OWN: Guest = Guest {
    name: "own",
    kernel: None,
    skips: None,
    ..USUAL
};
