//! Chapter 9: what the container changed.

use std::{fs, thread};

use anyhow::{Context, ensure};
use nix::{
    fcntl::OFlag,
    mount::{MntFlags, MsFlags, mount, umount2},
    unistd::pipe2,
};
use tinyjson::JsonValue;

use crate::{
    User,
    checks::{
        Check,
        ch01::log::{must_be_lines, pieces_of},
        holds,
    },
    layered::{container, contents, image_of, is_aufs, listed, script, stacked},
    told::{must_list, told},
};

pub(super) const CHECKS: &[Check] = &[
    Check::new(
        9,
        "a path of any length is one line of the log, written at once",
        "a write(2) of more than PIPE_BUF bytes into a pipe may block though poll(2) promises \
         room, and so make the keeper deaf: cut the message of a line",
        |bench| {
            // At the longest path that it can name, cd stops, and mkdir makes one more.
            let deep = "cd /root; while mkdir $0 && cd $0; do :; done 2>/dev/null";
            // In JSON, a character that a terminal obeys is written as six.
            for (form, letter) in [("plain", "7"), ("json", "7"), ("json", "\x1b")] {
                let (reader, writer) =
                    pipe2(OFlag::O_DIRECT | OFlag::O_CLOEXEC).context("pipe2")?;
                let pieces = thread::spawn(move || pieces_of(reader.into()));
                let name = letter.repeat(200);
                let words = ["--log-format", form, "--", "sh", "-c", deep, &name];
                let ended = container(bench, words).complaining_to(writer).finish()?;
                ended.must_end_with(0).with_context(|| form)?;
                let pieces = pieces.join().expect("a reader does not panic")?;
                must_be_lines(&pieces).with_context(|| form)?;
                let longest = pieces.iter().map(String::len).max();
                ensure!(longest > Some(2000), "the longest line is of {longest:?} bytes");
                let is_json = |line: &String| line.parse::<JsonValue>().is_ok();
                ensure!(form != "json" || pieces.iter().all(is_json), "a line is no JSON");
            }
            holds()
        },
    ),
    Check::new(
        9,
        "the log lists what changed, and the image is as it was",
        "overlay copies a changed file up, leaves a whiteout for a deleted one, and marks a folder \
         that was made again opaque: the image is not visible in it",
        |bench| {
            script(bench, &[], "true").finish()?.must_end_with(0)?;
            let before = contents(&image_of(bench))?;
            let actions = "echo 5 >> /image-layer1.txt; rm /image-layer2.txt; echo n > /new; \
                           mkdir /made; touch /made/in; \
                           rm -r /etc; mkdir /etc; echo x > /etc/passwd; \
                           chmod 600 /image-layer3.txt; cat /image-layer4.txt > /dev/null";
            let ended = script(bench, &[], actions).finish()?.must_end_with(0)?;
            let expected = [
                "changed /etc",
                "added /etc/passwd",
                "changed /image-layer1.txt",
                "deleted /image-layer2.txt",
                "changed /image-layer3.txt",
                "added /made",
                "added /made/in",
                "added /new",
            ];
            let found = listed(&ended);
            must_list(&format!("after `{actions}` the log lists"), &found, &expected)?;
            // A folder's own permissions, a name that only aufs would take for a whiteout, and
            // a folder in place of a file.
            let actions = "chmod 700 /root; touch /etc/.wh.passwd; rm /image-layer3.txt; \
                         mkdir /image-layer3.txt; ln -s x /link";
            // Only root's map has a second id.
            let is_root = bench.user == User::Root;
            let actions = actions.to_owned()
                + if is_root {
                    "; chown 1 /mnt; chown :1 /var"
                } else {
                    ""
                };
            let found = listed(&script(bench, &[], &actions).finish()?.must_end_with(0)?);
            if !is_aufs(bench)? {
                let expected = [
                    "added /etc/.wh.passwd",
                    "changed /image-layer3.txt",
                    "added /link",
                    "changed /mnt",
                    "changed /root",
                    "changed /var",
                ];
                let of_user =
                    |line: &&str| is_root || !["changed /mnt", "changed /var"].contains(line);
                let expected: Vec<&str> = expected.into_iter().filter(of_user).collect();
                must_list(&format!("after `{actions}` the log lists"), &found, &expected)?;
            }
            // A folder in a folder that was deleted and made again is new, too.
            let deep = bench.folder("deep")?;
            bench.folder("deep/d")?;
            bench.folder("deep/d/s")?;
            bench.file("deep/d/s/f", "x", 0o644)?;
            let actions = "rm -r /d; mkdir -p /d/s; echo y > /d/s/f";
            let found = listed(&stacked(bench, &[], &[deep], actions)?.finish()?.must_end_with(0)?);
            let expected = ["changed /d", "added /d/s", "added /d/s/f"];
            must_list(&format!("after `{actions}` the log lists"), &found, &expected)?;
            ensure!(contents(&image_of(bench))? == before, "the image has changed");
            script(bench, &[], "cat /image-layer2.txt; [ ! -e /new ]")
                .finish()?
                .must_end_with(0)?
                .must_write("2\n")?;
            holds()
        },
    ),
    Check::new(
        9,
        "a folder of the image can be deleted and made again",
        "overlay marks the new folder opaque with an attribute; in a user namespace it can write \
         that attribute only with the flag userxattr",
        |bench| {
            let again = "rm -r /etc && mkdir /etc && ls -A /etc && echo done";
            script(bench, &[], again).finish()?.must_end_with(0)?.must_write("done\n")?;
            if bench.user == User::Ordinary && bench.stage == 9 {
                // The test of the test: plain overlay in a user namespace mounts, and then fails.
                let plain = "mount -t tmpfs none . && cd $PWD && mkdir -p low/d/x up work merged \
                             && mount -t overlay none -o lowerdir=low,upperdir=up,workdir=work \
                             merged || exit 3; \
                             rm -r merged/d && mkdir merged/d || exit 4";
                bench.folder("plain")?;
                let ended = bench
                    .run("sh", ["-c", plain])
                    .within(&bench.folder.join("plain"))
                    .under(&["unshare", "-rm"])
                    .finish()?;
                ensure!(
                    [3, 4].contains(&ended.status()),
                    "plain overlay can do it here: {ended}",
                    ended = told(&ended)
                );
            }
            holds()
        },
    ),
    Check::new(
        9,
        "what root's container layer notes, any overlay mount understands",
        "an overlay mount without userxattr looks for trusted.overlay.opaque; root may write that \
         attribute, so root's mount needs no userxattr",
        |bench| {
            let layer = bench.folder("mine")?;
            let options = ["--driver", "overlay", "--container-layer", "mine"];
            script(bench, &options, "rm -r /etc && mkdir /etc && touch /etc/mine")
                .finish()?
                .must_end_with(0)?;
            let merged = bench.folder("merged")?;
            let image = image_of(bench).join("base");
            ensure!(image.join("etc/passwd").exists(), "the image has no /etc/passwd");
            let lower = format!("lowerdir={}:{}", layer.display(), image.display());
            mount(Some("none"), &merged, Some("overlay"), MsFlags::MS_RDONLY, Some(&*lower))
                .context("mount overlay")?;
            let names = fs::read_dir(merged.join("etc")).map(|entries| {
                entries.flatten().map(|entry| entry.file_name()).collect::<Vec<_>>()
            });
            umount2(&merged, MntFlags::MNT_DETACH)?;
            let names = names?;
            ensure!(
                names == ["mine"],
                "in another mount of the layer, /etc has {names}",
                names = told(&names)
            );
            holds()
        },
    )
    .only_as(User::Root),
];
