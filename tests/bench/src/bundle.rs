//! What do OCI runtimes need? A folder with a `config.json`: the OCI runtime specification.
//!
//! It says the same as the stages' options: the same namespaces, mounts, masks, capabilities and
//! limit. There is no filter of system calls in it.

use judge::User;

use crate::place::Place;

/// Docker's fourteen.
const CAPABILITIES: &str = r#""CAP_CHOWN","CAP_DAC_OVERRIDE","CAP_FSETID","CAP_FOWNER",
"CAP_MKNOD","CAP_NET_RAW","CAP_SETGID","CAP_SETUID","CAP_SETFCAP","CAP_SETPCAP",
"CAP_NET_BIND_SERVICE","CAP_SYS_CHROOT","CAP_KILL","CAP_AUDIT_WRITE""#;

/// The text of `config.json`.
pub fn config(place: &Place) -> String {
    let root = place.folder.join("rootfs");
    let root = root.display();
    let (uid, gid, size) = match place.user {
        User::Root => (0, 0, 65536),
        User::Ordinary => (place.user.uid(), place.user.gid(), 1),
    };
    // Without a group of its own, an ordinary user has no limit.
    let limit = match place.group() {
        Some(_) => format!(
            r#""cgroupsPath":"/{}","resources":{{"memory":{{"limit":104857600}}}},"#,
            place.groups_name()
        ),
        None => String::new(),
    };
    format!(
        r#"{{
"ociVersion": "1.0.2",
"hostname": "bench",
"root": {{"path": "{root}"}},
"process": {{
  "user": {{"uid": 0, "gid": 0}}, "cwd": "/", "args": ["/true"], "env": ["PATH=/"],
  "noNewPrivileges": true,
  "capabilities": {{
    "bounding": [{CAPABILITIES}], "effective": [{CAPABILITIES}], "permitted": [{CAPABILITIES}]
  }}
}},
"mounts": [
  {{"destination": "/proc", "type": "proc", "source": "proc"}},
  {{"destination": "/dev", "type": "tmpfs", "source": "tmpfs",
    "options": ["nosuid", "mode=755", "size=65536k"]}},
  {{"destination": "/dev/pts", "type": "devpts", "source": "devpts",
    "options": ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"]}},
  {{"destination": "/dev/shm", "type": "tmpfs", "source": "shm",
    "options": ["nosuid", "noexec", "nodev", "mode=1777"]}},
  {{"destination": "/sys", "type": "sysfs", "source": "sysfs",
    "options": ["nosuid", "noexec", "nodev", "ro"]}}
],
"linux": {{
  {limit}
  "uidMappings": [{{"containerID": 0, "hostID": {uid}, "size": {size}}}],
  "gidMappings": [{{"containerID": 0, "hostID": {gid}, "size": {size}}}],
  "namespaces": [{{"type": "pid"}}, {{"type": "network"}}, {{"type": "ipc"}}, {{"type": "uts"}},
    {{"type": "mount"}}, {{"type": "user"}}],
  "maskedPaths": ["/proc/acpi", "/proc/asound", "/proc/interrupts", "/proc/kcore", "/proc/keys",
    "/proc/latency_stats", "/proc/sched_debug", "/proc/scsi", "/proc/timer_list", "/sys/firmware",
    "/sys/devices/virtual/powercap"],
  "readonlyPaths": ["/proc/sys", "/proc/sysrq-trigger", "/proc/irq", "/proc/bus", "/proc/fs"]
}}
}}
"#
    )
}
