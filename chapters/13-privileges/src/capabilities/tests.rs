use super::*;

fn chosen(add: &[&str], drop: &[&str]) -> anyhow::Result<CapabilitySet> {
    let words = |words: &[&str]| words.iter().map(|word| word.to_string()).collect::<Vec<_>>();
    CapabilitySet::chosen_of(CapabilitySet::ALL, &words(add), &words(drop))
}

#[test]
fn docker_has_fourteen() {
    let set = CapabilitySet::of_docker();
    assert_eq!(set.bits(), 0xa804_25fb);
    assert_eq!(set.names().count(), 14);
    assert_eq!(set.to_string(), "Docker's 14");
}

#[test]
fn options_add_and_drop_in_any_order() {
    let docker = CapabilitySet::of_docker();
    let bit = |name| CapabilitySet::NONE.with(number(name).unwrap());
    assert_eq!(chosen(&[], &[]).unwrap(), docker);
    assert_eq!(chosen(&["net_admin"], &["CAP_MKNOD"]).unwrap(), {
        docker.or(bit("NET_ADMIN")).less(bit("MKNOD"))
    });
    assert_eq!(chosen(&[], &["all"]).unwrap(), CapabilitySet::NONE);
    assert_eq!(chosen(&["Cap_Chown"], &["ALL"]).unwrap(), bit("CHOWN"));
    assert_eq!(chosen(&["ALL"], &[]).unwrap(), CapabilitySet::ALL);
    assert_eq!(chosen(&["ALL"], &["BPF"]).unwrap(), CapabilitySet::ALL.less(bit("BPF")));
    assert_eq!(chosen(&["MKNOD"], &["MKNOD"]).unwrap(), docker);
    assert_eq!(
        chosen(&["NET_ADMIN"], &["MKNOD"]).unwrap().to_string(),
        "Docker's 14 with NET_ADMIN without MKNOD"
    );
}

#[test]
fn what_is_unknown_or_newer_than_the_kernel_is_an_error() {
    for name in ["", "CAP_", "NET", "CAP_CAP_CHOWN", "CHOWN "] {
        assert!(chosen(&[name], &[]).is_err(), "{name:?}");
        assert!(chosen(&[], &[name]).is_err(), "{name:?}");
    }
    let old = CapabilitySet::from_bits((1 << 38) - 1); // Linux 5.7: AUDIT_READ is the last
    let words = |word: &str| [word.to_owned()];
    let all = CapabilitySet::chosen_of(old, &words("ALL"), &[]).unwrap();
    assert_eq!(all, old);
    let error = CapabilitySet::chosen_of(old, &words("BPF"), &[]).unwrap_err().to_string();
    assert!(error.starts_with("--cap-add BPF:") && error.ends_with("AUDIT_READ"), "{error}");
    assert!(CapabilitySet::chosen_of(old, &[], &words("BPF")).is_ok());
}

#[test]
fn a_process_shows_its_bounding_set() {
    let kernels = CapabilitySet::of_kernel().unwrap();
    assert_eq!(kernels.and(CapabilitySet::ALL), CapabilitySet::ALL);
    let own = CapabilitySet::of_process(Pid::this()).unwrap();
    assert_eq!(own.less(kernels), CapabilitySet::NONE);
    assert!(CapabilitySet::of_process(Pid::from_raw(i32::MAX)).is_err());
}
