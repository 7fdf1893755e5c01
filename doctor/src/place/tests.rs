use proptest::{prelude::*, sample::select};

use super::*;

const LINUX: &str = "Linux version 6.1.0-50-amd64 (debian-kernel@lists.debian.org) #1 SMP Debian";
const WHOLE: &str = "         0          0 4294967295\n";
/// As an engine leaves it: a proc, parts of which are hidden.
const MASKED: &str = "500 499 0:50 / /proc rw,nosuid - proc proc rw\n\
                      501 500 0:50 /sys /proc/sys ro,nosuid - proc proc rw\n\
                      502 500 0:51 / /proc/acpi ro - tmpfs tmpfs ro\n";
const OPEN: &str = "22 27 0:21 / /proc rw,relatime - proc proc rw\n\
                    35 22 0:33 / /proc/sys/fs/binfmt_misc rw - autofs systemd-1 rw\n";

/// What is below a root that has these files.
fn place(files: &[(&str, &str)]) -> Place {
    let root = tempfile::tempdir().expect("a temporary folder");
    for (name, text) in files {
        let file = root.path().join(name);
        fs::create_dir_all(file.parent().expect("it is in a folder")).expect("a folder");
        fs::write(file, text).expect("a file");
    }
    Place::below(root.path())
}

#[test]
fn a_machine_needs_no_advice() {
    let files = [
        ("proc/version", LINUX),
        ("proc/self/mountinfo", OPEN),
        ("proc/self/status", "Name:\tx\nSeccomp:\t0\n"),
        ("proc/self/attr/current", "unconfined\n"),
        (".dockerenv", ""), // a machine whose files were once an image's
    ];
    let place = place(&files);
    assert_eq!((place.name(), place.title(), place.advice()), ("machine", None, None));
}

#[test]
fn docker_without_privileges_is_named_with_each_of_its_walls() {
    let files = [
        ("proc/version", LINUX),
        ("proc/self/mountinfo", MASKED),
        ("proc/self/status", "Seccomp:\t2\nSeccomp_filters:\t1\n"),
        ("proc/self/attr/current", "docker-default (enforce)\n"),
        (".dockerenv", ""),
    ];
    let docker = place(&files);
    assert_eq!(docker.name(), "docker");
    assert_eq!(docker.walls.profile.as_deref(), Some("docker-default"));
    let all = "docker run --user 1000 --security-opt seccomp=unconfined --security-opt \
               apparmor=unconfined --security-opt systempaths=unconfined`";
    assert!(docker.advice().is_some_and(|advice| advice.contains(all)), "{docker:?}");
    let half = place(&[files[0], files[1], files[4]]);
    let advice = half.advice().expect("there are masks");
    assert!(
        advice.contains("--user 1000 --security-opt systempaths=unconfined`"),
        "{advice}"
    );
}

#[test]
fn podman_is_rootless_if_its_root_is_somebody_else_outside() {
    let files = [
        ("proc/version", LINUX),
        ("proc/self/mountinfo", MASKED),
        ("run/.containerenv", ""),
        ("proc/self/uid_map", "0 1000 1\n1 100000 65536\n"),
    ];
    assert_eq!(place(&files).kind, Kind::Podman { rootless: true });
    let advice = place(&files).advice().expect("there are masks");
    assert!(
        advice.contains("`podman run --user 1000 --security-opt unmask=ALL`"),
        "{advice}"
    );
    let files = [files[0], files[1], files[2], ("proc/self/uid_map", WHOLE)];
    assert_eq!(place(&files).name(), "podman");
}

#[test]
fn a_container_without_walls_is_one_and_needs_no_advice() {
    let overlay = ("proc/self/mountinfo", "9 8 0:40 / / rw - overlay overlay rw\n");
    let docker = place(&[("proc/version", LINUX), overlay, (".dockerenv", "")]);
    assert_eq!((docker.name(), docker.advice()), ("docker", None));
    let podman = place(&[("proc/version", LINUX), ("run/.containerenv", "")]);
    assert_eq!((podman.name(), podman.advice()), ("rootless-podman", None));
}

#[test]
fn root_without_cap_sys_admin_is_told_to_be_an_ordinary_user() {
    let root = ("proc/self/status", "Uid:\t0\t0\t0\t0\nCapEff:\t00000000a80425fb\nSeccomp:\t0\n");
    let whole = ("proc/self/status", "Uid:\t0\t0\t0\t0\nCapEff:\t000001ffffffffff\nSeccomp:\t0\n");
    let user = ("proc/self/status", "Uid:\t1\t1\t1\t1\nCapEff:\t0000000000000000\nSeccomp:\t0\n");
    let advice = |status| place(&[status, ("run/.containerenv", "")]).advice();
    assert!(advice(root).is_some_and(|advice| advice.contains("`podman run --user 1000`")));
    assert_eq!((advice(whole), advice(user)), (None, None));
}

#[test]
fn what_is_no_linux_is_named_whatever_stands_around_it() {
    let versions = [
        ("Linux version 4.4.0 #1 SMP Sun Jan 10 15:06:54 PST 2016\n", "gvisor"),
        ("Linux version 4.19.0-gvisor #1 SMP Sun Jan 10 15:06:54 PST 2016\n", "gvisor"),
        (
            "Linux version 4.4.0-19041-Microsoft (Microsoft@Microsoft.com) #1 Microsoft",
            "wsl1",
        ),
        (
            "Linux version 5.15.90.1-microsoft-standard-WSL2 (oe-user@oe-host) #1 SMP",
            "wsl2",
        ),
        ("Linux version 6.6.1-microsoft-custom-WSL2+ (you@host) #1 SMP", "wsl2"),
        ("Linux version 4.4.0-210-generic (buildd@lgw01) #242-Ubuntu SMP", "machine"),
    ];
    for (version, name) in versions {
        assert_eq!(place(&[("proc/version", version)]).name(), name, "{version}");
    }
    let docker = [(".dockerenv", ""), ("proc/self/mountinfo", MASKED)];
    assert_eq!(place(&[("proc/version", versions[0].0), docker[0], docker[1]]).name(), "gvisor");
    assert_eq!(place(&[("proc/version", versions[3].0), docker[0], docker[1]]).name(), "docker");
}

#[test]
fn apparmors_restriction_has_a_line_on_a_machine_and_on_the_host_of_a_container() {
    let restricts = ("proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1\n");
    let machine = place(&[("proc/version", LINUX), restricts]);
    assert_eq!(machine.advice().as_deref(), Some(RESTRICTED));
    let docker = place(&[restricts, (".dockerenv", ""), ("proc/self/mountinfo", MASKED)]);
    let advice = docker.advice().expect("there are masks");
    assert!(advice.contains("systempaths") && advice.ends_with(RESTRICTED), "{advice}");
    let off = place(&[("proc/version", LINUX), (restricts.0, "0\n")]);
    assert_eq!(off.advice(), None);
}

#[test]
fn a_label_of_selinux_is_no_profile() {
    assert_eq!(profile("system_u:system_r:container_t:s0:c1,c2\0"), None);
    assert_eq!(profile("unconfined (enforce)"), None);
    assert_eq!(
        profile("containers-default-0.50.1 (enforce)\n").as_deref(),
        Some("containers-default-0.50.1")
    );
}

proptest! {
    #[test]
    fn any_text(text in ".*") {
        let _ = (kind(&text, None), masks(&text), profile(&text));
        let _ = (is_weak_root(&text), is_on_overlay(&text));
    }

    /// Only a mount below /proc is a mask, and only where folders are not made for it.
    #[test]
    fn a_mask_is_below_proc(
        points in proptest::collection::vec(select(vec![
            "/", "/proc", "/process/x", "/sys", "/proc/sys/fs/binfmt_misc", "/proc/kcore",
        ]), 0..6),
    ) {
        let line = |point: &&str| format!("1 2 0:3 / {point} rw - proc proc rw\n");
        let mountinfo: String = points.iter().map(line).collect();
        prop_assert_eq!(masks(&mountinfo), points.contains(&"/proc/kcore"));
    }
}
